#pragma once

#include <functional>
#include <optional>
#include <string>

namespace sequela {

// A model by its name on a hub: "org/name" or "org/name@revision".
struct ModelName {
  std::string repository;         // "org/name"
  std::string revision = "main";  // branch, tag or commit
  bool has_revision = false;      // the text said which

  std::string text() const;  // "org/name", with "@revision" if the text said which
};

// nullopt if the text has not that form. A name has one slash and starts with a letter or a digit,
// so that "/a/b", "./a", "../a", "~/a" and "a/b/c" are paths.
std::optional<ModelName> parse_model_name(const std::string& text);

// Where huggingface_hub keeps models, and whether the network may be asked.
struct HubSettings {
  std::string cache;  // folder of models--org--name/
  bool is_offline = false;
};

// From the variables that huggingface_hub reads: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME/hub,
// XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub, the first there is; HF_HUB_OFFLINE and
// TRANSFORMERS_OFFLINE (1, on, yes, true). `variable` is std::getenv, or a test's own.
HubSettings read_hub_settings(const std::function<const char*(const char*)>& variable);

// What a user's text for a bundle or an encoder means.
struct FoundModel {
  std::optional<ModelName> name;  // if the text has a name's form
  std::string folder;             // empty: only the hub could have it
  std::string commit;             // of a snapshot in the cache; empty: a folder of that name
  bool wants_fetch = false;       // something may be missing that the hub has

  // "org/name@commit" of a snapshot, which stays what it is; else the text as it was.
  std::string pinned_name(const std::string& text) const;
  // Which was taken, in one line; empty for what is a path in any case.
  std::string note() const;
};

// Looks for a folder (or file) of that name, then, if it has a name's form, for its snapshot in the
// cache: refs/<revision> names the commit, snapshots/<commit>/ holds the files. A snapshot counts
// that has config.json and all files of its weights, so one that a torn download left does not; one
// without a vocabulary counts, but wants to be fetched unless .no_exist/<commit>/ says that the hub
// has none. A text that is neither found nor a name is
// its own folder, and whoever opens it says what is wrong. The network is never asked.
//
// Throws FileError if the model is in neither place and the settings are offline.
//
// Source: the cache's layout, https://huggingface.co/docs/huggingface_hub/guides/manage-cache.
FoundModel find_model(const std::string& text, const HubSettings& settings);

}  // namespace sequela
