// Raw visits to CEHR-BERT's records, tokens and batches, and text to WordPiece ids: tokens per
// second of one core.
// usage: bench_sequence_tokenizer CEHR_BERT_FOLDER RAW_PATIENTS_JSON WORD_PIECE_FOLDER STRINGS_JSON
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>

#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/tokenizer/sequence/cehr_batch.h"
#include "sequela/tokenizer/sequence/word_piece.h"

namespace {

using namespace sequela;

constexpr int kRepeats = 2000;

// Wall and CPU time: on a busy machine the second is the one to compare.
void time(const char* name, int64_t num_bytes, const std::function<int64_t()>& work) {
  const auto start = std::chrono::steady_clock::now();
  const clock_t start_cpu = std::clock();
  const auto num_tokens = static_cast<double>(work());
  const double cpu = static_cast<double>(std::clock() - start_cpu) / CLOCKS_PER_SEC;
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%-16s %6.3f s, %6.3f CPU-s: %8.2f M tokens per core-second", name, wall, cpu,
              num_tokens / cpu / 1e6);
  if (num_bytes > 0) std::printf(", %7.1f MB/s", static_cast<double>(num_bytes) / cpu / 1e6);
  std::printf("\n");
}

void run_cehr(const std::string& folder, const std::string& raw_path) {
  const CehrPatients raw = read_cehr_patients(raw_path);
  const CehrTokenizer tokenizer = CehrTokenizer::read(folder);
  CehrRecords records;
  CehrTokens tokens;
  time("CEHR records", 0, [&] {
    CehrRecordBuilder builder(raw.texts, {}, &records);
    for (int i = 0; i < kRepeats; ++i) {
      for (const CehrPatient& patient : raw.patients) builder.append(patient);
    }
    return records.size();
  });
  time("CEHR tokens", 0, [&] {
    tokenizer.append(records, &tokens);
    return tokens.size();
  });
  time("CEHR batches", 0, [&] {
    std::vector<int64_t> rows(16);
    int64_t total = 0;
    for (int64_t first = 0; first + 16 <= tokens.num_sequences(); first += 16) {
      std::iota(rows.begin(), rows.end(), first);
      CehrBatch batch = build_cehr_batch(tokenizer, tokens, rows, {});
      mask_tokens(tokenizer, {}, {}, &batch);
      total += batch.offsets.back();
    }
    return total;
  });
}

void run_text(const std::string& folder, const std::string& strings_path) {
  const Json strings = parse_json(read_file(strings_path), strings_path);
  const auto tokenizer = WordPieceTokenizer::read(folder);
  std::string note;
  for (int i = 0; i < 400; ++i) {
    note += "The patient denies chest pain. BP 142/88, HR 96; glucose 160 mg/dL, afebrile.\n";
  }
  const auto bytes = static_cast<int64_t>(note.size());
  const auto longest = WordPieceTokenizer::read(folder, {.max_length = 1 << 20});
  time("WordPiece notes", bytes * 100, [&] {
    TextTokens tokens;
    for (int i = 0; i < 100; ++i) longest.append(note, &tokens);
    return static_cast<int64_t>(tokens.ids.size());
  });
  int64_t num_bytes = 0;
  for (const Json& text : strings) num_bytes += text.get_ref<const std::string&>().size();
  time("WordPiece odd", num_bytes * kRepeats, [&] {
    int64_t total = 0;
    for (int i = 0; i < kRepeats; ++i) {
      TextTokens tokens;
      for (const Json& text : strings)
        tokenizer.append(text.get_ref<const std::string&>(), &tokens);
      total += static_cast<int64_t>(tokens.ids.size());
    }
    return total;
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s CEHR_BERT_FOLDER RAW_PATIENTS WORD_PIECE_FOLDER STRINGS\n",
                 argv[0]);
    return 2;
  }
  run_cehr(argv[1], argv[2]);
  run_text(argv[3], argv[4]);
}
