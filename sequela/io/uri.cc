#include "sequela/io/uri.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace sequela {
namespace {

size_t query_start(const std::string& uri) {
  return std::min(uri.find('?'), uri.size());
}

bool names_secret(std::string key) {
  for (char& c : key) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* part : {"password", "secret", "token", "key", "credential", "sas"}) {
    if (key.find(part) != std::string::npos) return true;
  }
  return false;
}

// Without the query of a URI and slashes at its end.
std::string bare_path(const std::string& path_or_uri) {
  std::string path =
      is_uri(path_or_uri) ? path_or_uri.substr(0, query_start(path_or_uri)) : path_or_uri;
  while (path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

std::string without_uri_secrets(const std::string& path_or_uri) {
  const size_t start = path_or_uri.find("://");
  if (start == std::string::npos) return path_or_uri;
  const size_t query = query_start(path_or_uri);
  std::string bare = path_or_uri.substr(0, query);
  const size_t host_end = std::min(bare.find('/', start + 3), bare.size());
  const size_t at = bare.rfind('@', host_end);
  const size_t colon = bare.find(':', start + 3);
  const bool has_password = at != std::string::npos && at > start && colon < at;
  if (has_password) bare.erase(colon, at - colon);
  char separator = '?';
  for (size_t begin = query + 1; begin < path_or_uri.size();) {
    const size_t end = std::min(path_or_uri.find('&', begin), path_or_uri.size());
    const std::string setting = path_or_uri.substr(begin, end - begin);
    if (!names_secret(setting.substr(0, setting.find('=')))) {
      bare += separator + setting;
      separator = '&';
    }
    begin = end + 1;
  }
  return bare;
}

bool is_uri(const std::string& path) {
  return path.find("://") != std::string::npos;
}

std::string join_path(const std::string& folder_or_uri, const std::string& name) {
  if (!is_uri(folder_or_uri)) return (std::filesystem::path(folder_or_uri) / name).string();
  return bare_path(folder_or_uri) + "/" + name + folder_or_uri.substr(query_start(folder_or_uri));
}

std::string path_below(const std::string& folder_or_uri, const std::string& path_or_uri) {
  const std::string folder = bare_path(folder_or_uri) + "/";
  const std::string path = bare_path(path_or_uri);
  if (!path.starts_with(folder)) return path_or_uri;
  return path.substr(std::min(path.find_first_not_of('/', folder.size()), path.size()));
}

std::string shown_path(const std::string& path_or_uri) {
  const size_t start = path_or_uri.find("://");
  if (start == std::string::npos) return path_or_uri;
  const size_t host_end = std::min(path_or_uri.find('/', start + 3), path_or_uri.size());
  const size_t at = path_or_uri.rfind('@', host_end);
  if (at == std::string::npos || at < start) return path_or_uri;
  return path_or_uri.substr(0, start + 3) + path_or_uri.substr(at + 1);
}

}  // namespace sequela
