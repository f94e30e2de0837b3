#include "sequela/objective/clmbr/next_code.h"

#include <algorithm>

namespace sequela {
namespace {

constexpr const char* kLabels = "labels";

std::vector<int32_t> entries_of_nodes(const Ontology& ontology, const Vocabulary& vocabulary) {
  std::vector<int32_t> entries(ontology.num_nodes(), -1);
  for (size_t i = 0; i < vocabulary.entries.size(); ++i) {
    const VocabularyEntry& entry = vocabulary.entries[i];
    if (entry.type != VocabularyEntry::Type::code) continue;
    if (const auto node = ontology.find(entry.code_string))
      entries[*node] = static_cast<int32_t>(i);
  }
  return entries;
}

// The entry of a node or of its nearest ancestors, level by level; -1 = none has one.
int32_t nearest_entry(const Ontology& ontology, const std::vector<int32_t>& entries, int32_t node) {
  std::vector<int32_t> level = {node};
  while (!level.empty()) {
    int32_t best = -1;
    for (const int32_t one : level) {
      if (entries[one] >= 0 && (best < 0 || entries[one] < best)) best = entries[one];
    }
    if (best >= 0) return best;
    std::vector<int32_t> above;
    for (const int32_t one : level) {
      const auto parents = ontology.parents(one);
      above.insert(above.end(), parents.begin(), parents.end());
    }
    std::ranges::sort(above);
    above.erase(std::unique(above.begin(), above.end()), above.end());
    level = std::move(above);
  }
  return -1;
}

class NextCodeMaker : public TargetMaker {
 public:
  explicit NextCodeMaker(const NextCodes& codes) : codes_(codes) {}

  void start(const Subject& subject, const Sequence& sequence) override {
    first_event_ = static_cast<int32_t>(sequence.first_event());
    codes_.label_tokens(subject, sequence, labels_);
  }

  std::optional<Window> plan(int64_t subject, int32_t max_length, double) const override {
    auto end = static_cast<int32_t>(labels_.size());
    while (end > 0 && labels_[end - 1] < 0) --end;
    if (end == 0) return std::nullopt;
    Window window;
    window.subject = subject;
    window.length = std::min(max_length, end);
    window.first_token = end - window.length;
    return window;
  }

  // Where a birth bag stands at the window's front, it has no label.
  void select(const Window& window, uint64_t, std::vector<int32_t>& label_tokens) const override {
    label_tokens.clear();
    const int32_t end = window.first_token + window.length;
    for (int32_t token = window.first_token + first_event_; token < end; ++token) {
      if (labels_[token] >= 0) label_tokens.push_back(token);
    }
  }

  int64_t note(int32_t token) const override { return labels_[token]; }

  void append(const Subject&, std::span<const int64_t> notes, BatchForm,
              BatchArrays& batch) override {
    if (batch.targets.empty()) batch.targets.push_back({kLabels, {}});
    for (const int64_t label : notes)
      batch.targets[0].values.push_back(static_cast<int32_t>(label));
  }

 private:
  const NextCodes& codes_;
  int32_t first_event_ = 0;
  std::vector<int32_t> labels_;  // of the record's tokens
};

}  // namespace

NextCodes::NextCodes(const ObjectiveRecords& records, int64_t vocab_size)
    : vocab_size_(vocab_size) {
  if (!records.vocabulary.is_hierarchical) return;
  const std::vector<int32_t> entries = entries_of_nodes(records.ontology, records.vocabulary);
  for (const int32_t node : records.ontology.nodes_of(records.store.codes()))
    entry_of_code_.push_back(nearest_entry(records.ontology, entries, node));
}

int32_t NextCodes::code_of(const Subject& subject, const Sequence& sequence, int64_t token) const {
  const auto bag = sequence.bag_of(token);
  int32_t code = bag[0].token;
  if (bag.size() > 1) {
    const int32_t own = entry_of_code_[subject.code(sequence.events[token])];
    if (own >= 0) code = own;
  }
  return code < vocab_size_ ? code : -1;
}

void NextCodes::label_tokens(const Subject& subject, const Sequence& sequence,
                             std::vector<int32_t>& labels) const {
  labels.assign(sequence.num_tokens(), -1);
  for (int64_t token = sequence.first_event(); token + 1 < sequence.num_tokens(); ++token)
    labels[token] = code_of(subject, sequence, token + 1);
}

std::unique_ptr<TargetMaker> NextCodeRule::make() const {
  return std::make_unique<NextCodeMaker>(codes_);
}

std::vector<LeafField> NextCodeRule::femr_fields() const {
  return {{std::string("task.") + kLabels, LeafType::int32}};
}

}  // namespace sequela
