#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// A row of MEDS' metadata/codes.parquet.
struct CodeMetadata {
  std::string_view code;
  std::optional<std::string_view> description;
  // Not set if null. Null and empty items are left out.
  std::optional<std::vector<std::string_view>> parents;
};

// Calls visit for each row with a code, in order; the row lives during the call. The columns
// description (string) and parent_codes (list of strings) may be absent or all null. DataError on
// other types.
void read_code_metadata(const std::string& path,
                        const std::function<void(const CodeMetadata&)>& visit);

}  // namespace sequela
