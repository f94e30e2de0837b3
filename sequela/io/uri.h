#pragma once

#include <string>

namespace sequela {

// A path is a URI if it names a scheme: "s3://bucket/folder?region=eu-west-1".
bool is_uri(const std::string& path);

// folder/name. A URI's query stays at the end.
std::string join_path(const std::string& folder_or_uri, const std::string& name);

// The part of a path, both as join_path() makes them, below a folder, without query; the whole path
// if it is not below.
std::string path_below(const std::string& folder_or_uri, const std::string& path_or_uri);

// The path or URI without user name and password, for messages.
std::string shown_path(const std::string& path_or_uri);

// The path or URI without password, and without what its query says under a key that names a
// secret (AWS and Azure take some there): for files that keep it.
std::string without_uri_secrets(const std::string& path_or_uri);

}  // namespace sequela
