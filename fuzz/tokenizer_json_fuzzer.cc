#include "fuzz/harness.h"
#include "sequela/tokenizer/sequence/code_vocabulary.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sequela;
  return fuzz_file("tokenizer.json", data, size, [](const std::string& path) {
    const CodeVocabulary vocabulary = CodeVocabulary::read_file(path);
    for (int32_t id = -1; id <= vocabulary.size(); ++id) {
      if (!vocabulary.has_code(id)) continue;
      if (!vocabulary.find_id(vocabulary.code(id))) __builtin_trap();
    }
  });
}
