#pragma once

#include <string>

#include "sequela/core/json.h"

namespace sequela {

// The model card, README.md, of a bundle or an encoder: Markdown under a header in YAML, as the
// Hugging Face hub reads it (hub documentation, "Model Cards"). It says what the folder's own files
// know: of its manifest.json the data, the split, the recipe, what validation told and the tasks;
// of its weights what inspect() says. The licence is left to the user. `name` is what one writes
// after --model: the folder's, or org/name of the hub. Errors: those of inspect().
std::string model_card(const std::string& folder, const std::string& name);

// Writes the card of a bundle that is being written into `partial` and will be `folder`.
void write_model_card(const std::string& partial, const std::string& folder);

}  // namespace sequela
