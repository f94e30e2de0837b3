#pragma once

#include <cstdint>
#include <string>

#include "sequela/etl/convert.h"

namespace sequela {

// All options of `sequela etl`.
struct EtlOptions {
  // A source's name (etl/source.h), a file of MESSY (event_configs.yaml), or the address of a
  // PostgreSQL schema with OMOP tables: postgresql://user@host/database/schema.
  std::string from;
  std::string folder;  // of the raw tables; not with an address
  std::string out;     // folder for the MEDS data set

  int64_t num_shards = 0;     // 0 = by the size of the tables
  bool allows_drops = false;  // also where over 1 % of a table gives no event
  std::string shift_dates;    // a file with a secret: times move by whole weeks; empty = not
  std::string units;          // "ucum" = normalise; empty = as the source has them
  bool drops_text = false;
  double train_share = 0.8, tuning_share = 0.1;  // of the subjects
  int num_threads = 1;
  std::string fingerprint_cache;  // folder (run/fingerprint_cache.h); empty = none
  int64_t memory_bytes = int64_t{1} << 30;

  void validate() const;  // ConfigError
};

struct EtlReport {
  ConvertReport converted;
  double seconds = 0;
  bool is_up_to_date = false;  // nothing had to be done
};

// Makes a MEDS data set of raw tables (etl/convert.h says what is written). Finished output of the
// same inputs and options is left alone; a run that was stopped goes on where it stood.
EtlReport etl(const EtlOptions& options);

// The SQL that etl() would run. Reads the tables' headers alone.
std::string explain_etl(const EtlOptions& options);

}  // namespace sequela
