#pragma once

#include <string>

namespace sequela {

// Says in a few lines what an artifact holds: a MEDS data set, a meds_reader database, a folder
// that prepare made, an ontology, split, dictionary, task, folder of batches, labels in any form,
// cohort, Athena download, model bundle, encoder, checkpoint, folder of a training run, of
// features, of what encode or compare made, or a file of tensors. Never prints patients' texts.
// Throws DataError or FileError for a damaged one, ConfigError for what it does not know.
std::string inspect(const std::string& path);

}  // namespace sequela
