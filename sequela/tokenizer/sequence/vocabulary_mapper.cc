#include "sequela/tokenizer/sequence/vocabulary_mapper.h"

#include <algorithm>
#include <unordered_set>

#include "sequela/tokenizer/sequence/code_forms.h"

namespace sequela {
namespace {

constexpr int32_t kNotLookedFor = -2;
// A node of more children than this says little about each of them.
constexpr size_t kMaxSiblings = 256;

}  // namespace

void VocabularyMapper::Forms::add(std::string_view form, int32_t id) {
  const auto entry = static_cast<size_t>(texts.add(form));
  if (entry == ids.size())
    ids.push_back(id);
  else
    ids[entry] = -1;
}

int32_t VocabularyMapper::Forms::find(std::string_view form) const {
  const int32_t entry = texts.find(form);
  return entry < 0 ? -1 : ids[static_cast<size_t>(entry)];
}

VocabularyMapper::VocabularyMapper(CodeVocabulary vocabulary, MapperOptions options,
                                   std::shared_ptr<const Ontology> ontology)
    : vocabulary_(std::move(vocabulary)), options_(options), ontology_(std::move(ontology)) {
  if (!options_.use_ontology) ontology_ = nullptr;
  if (ontology_ != nullptr) {
    node_ids_.assign(static_cast<size_t>(ontology_->num_nodes()), kNotLookedFor);
  }
  if (!options_.normalise) return;
  for (int32_t id = 0; id < vocabulary_.size(); ++id) {
    if (!vocabulary_.has_code(id) || vocabulary_.is_special(id)) continue;
    const CodeForm form = code_form(vocabulary_.code(id));
    forms_.add(form.key(), id);
    bodies_.add(form.body, id);
  }
}

CodeMatch VocabularyMapper::match(std::string_view code) {
  const auto entry = static_cast<size_t>(known_.add(code));
  if (entry == matches_.size()) {
    CodeMatch found = find_match(code);
    if (found.step == MapStep::unknown) found.id = vocabulary_.special().unknown.value_or(-1);
    matches_.push_back(found);
  }
  return matches_[entry];
}

CodeMatch VocabularyMapper::find_match(std::string_view code) {
  if (const auto id = vocabulary_.find_id(code)) return {*id, MapStep::exact};
  if (options_.normalise) {
    const int32_t id = find_normalised(code);
    if (id >= 0) return {id, MapStep::normalised};
  }
  const int32_t node = find_node(code);
  if (node < 0) return {};
  if (const int32_t id = find_mapped(node); id >= 0) return {id, MapStep::mapped};
  if (const int32_t id = find_ancestor(node); id >= 0) return {id, MapStep::ancestor};
  return {};
}

int32_t VocabularyMapper::find_normalised(std::string_view code) const {
  if (const int32_t id = find_form(code); id >= 0) return id;
  const std::string joined = join_words(code);
  if (joined == code) return -1;
  if (const auto id = vocabulary_.find_id(joined)) return *id;
  return find_form(joined);
}

int32_t VocabularyMapper::find_form(std::string_view code) const {
  const CodeForm form = code_form(code);
  if (form.body.empty()) return -1;
  const int32_t id = forms_.find(form.key());
  if (id >= 0) return id;
  return form.vocabulary.empty() ? bodies_.find(form.body) : forms_.find("|" + form.body);
}

int32_t VocabularyMapper::find_node(std::string_view code) const {
  if (ontology_ == nullptr) return -1;
  if (const auto node = ontology_->find(code)) return *node;
  if (!options_.normalise) return -1;
  for (const std::string& spelling : athena_spellings(code)) {
    if (const auto node = ontology_->find(spelling)) return *node;
  }
  return -1;
}

// The id of the node's own code.
int32_t VocabularyMapper::id_of_node(int32_t node) {
  int32_t& id = node_ids_[static_cast<size_t>(node)];
  if (id == kNotLookedFor) {
    const std::string& code = ontology_->code(node);
    id = vocabulary_.id_or(code, -1);
    if (id < 0 && options_.normalise) id = find_normalised(code);
  }
  return id;
}

// The smallest id among direct parents in other vocabularies. A node whose own code the vocabulary
// has under another spelling counts as well.
int32_t VocabularyMapper::find_mapped(int32_t node) {
  int32_t best = id_of_node(node);
  const std::string_view vocabulary = code_prefix(ontology_->code(node));
  for (const int32_t parent : ontology_->parents(node)) {
    if (code_prefix(ontology_->code(parent)) == vocabulary) continue;
    const int32_t id = id_of_node(parent);
    if (id >= 0 && (best < 0 || id < best)) best = id;
  }
  return best;
}

int32_t VocabularyMapper::find_ancestor(int32_t node) {
  std::vector<int32_t> level = {node};
  std::unordered_set<int32_t> seen = {node};
  for (int depth = 1; !level.empty(); ++depth) {
    if (options_.max_levels > 0 && depth > options_.max_levels) return -1;
    std::vector<int32_t> next;
    int32_t best = -1;
    for (const int32_t child : level) {
      for (const int32_t parent : ontology_->parents(child)) {
        if (!seen.insert(parent).second) continue;
        next.push_back(parent);
        const int32_t id = id_of_node(parent);
        if (id >= 0 && (best < 0 || id < best)) best = id;
      }
    }
    if (best >= 0) return best;
    level.swap(next);
  }
  return -1;
}

int32_t VocabularyMapper::require(CodeMatch match) const {
  return match.id >= 0 ? match.id : vocabulary_.require_unknown();
}

std::vector<int32_t> VocabularyMapper::map_codes(std::span<const std::string> codes) {
  std::vector<int32_t> ids;
  ids.reserve(codes.size());
  for (const std::string& code : codes) ids.push_back(map_code(code));
  return ids;
}

std::span<const int32_t> VocabularyMapper::children(int32_t node) {
  if (children_.offsets.size() == 1) {
    std::vector<std::pair<int32_t, int32_t>> edges;
    for (int32_t child = 0; child < ontology_->num_nodes(); ++child) {
      for (const int32_t parent : ontology_->parents(child)) edges.emplace_back(parent, child);
    }
    children_ = to_parent_lists(ontology_->num_nodes(), edges);
  }
  return children_.of(node);
}

void VocabularyMapper::add_near(int32_t node, float weight, std::vector<Near>* near) {
  const int32_t id = id_of_node(node);
  if (id < 0) return;
  const auto same = [&](const Near& other) { return other.id == id; };
  const auto found = std::find_if(near->begin(), near->end(), same);
  if (found == near->end())
    near->push_back({weight, id});
  else
    found->weight = std::max(found->weight, weight);
}

// The ids from which a new code's row is made, the heaviest first.
std::vector<VocabularyMapper::Near> VocabularyMapper::find_near(std::string_view code,
                                                                int max_neighbours) {
  const int32_t normalised = options_.normalise ? find_normalised(code) : -1;
  if (normalised >= 0) return {{1, normalised}};
  const int32_t node = find_node(code);
  if (node < 0) return {};
  std::vector<Near> near;
  add_near(node, 1, &near);
  std::vector<int32_t> neighbours;
  for (const int32_t parent : ontology_->parents(node)) neighbours.push_back(parent);
  for (const int32_t child : children(node)) neighbours.push_back(child);
  if (neighbours.size() > kMaxSiblings) neighbours.resize(kMaxSiblings);
  for (const int32_t neighbour : neighbours) add_near(neighbour, 1, &near);
  for (const int32_t neighbour : neighbours) {
    for (const int32_t parent : ontology_->parents(neighbour)) add_near(parent, 0.5f, &near);
    const auto siblings = children(neighbour);
    if (siblings.size() > kMaxSiblings) continue;
    for (const int32_t sibling : siblings) {
      if (sibling != node) add_near(sibling, 0.5f, &near);
    }
  }
  if (near.empty()) {
    const int32_t ancestor = find_ancestor(node);
    if (ancestor >= 0) near.push_back({1, ancestor});
  }
  std::sort(near.begin(), near.end(), [](const Near& a, const Near& b) {
    return std::pair(-a.weight, a.id) < std::pair(-b.weight, b.id);
  });
  if (near.size() > static_cast<size_t>(std::max(1, max_neighbours))) {
    near.resize(static_cast<size_t>(std::max(1, max_neighbours)));
  }
  return near;
}

ResizePlan VocabularyMapper::plan_resize(std::span<const std::string> codes, int max_neighbours) {
  ResizePlan plan;
  plan.first_id = vocabulary_.size();
  TextTable added;
  for (const std::string& code : codes) {
    if (vocabulary_.find_id(code) || added.find(code) >= 0) continue;
    added.add(code);
    plan.codes.push_back(code);
    const std::vector<Near> near = find_near(code, max_neighbours);
    float sum = 0;
    for (const Near& neighbour : near) sum += neighbour.weight;
    for (const Near& neighbour : near) {
      plan.neighbour_ids.push_back(neighbour.id);
      plan.weights.push_back(neighbour.weight / sum);
    }
    plan.offsets.push_back(static_cast<int64_t>(plan.neighbour_ids.size()));
  }
  return plan;
}

int64_t ResizePlan::num_with_neighbours() const {
  int64_t count = 0;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) count += offsets[i + 1] > offsets[i];
  return count;
}

}  // namespace sequela
