#pragma once

#include <array>
#include <cstdint>

namespace sequela {

// The measurements that the planted diseases act on, in the order of kLabs.
enum LabId : int {
  kGlucose,
  kHba1c,
  kCreatinine,
  kUreaNitrogen,
  kEgfr,
  kSodium,
  kPotassium,
  kBicarbonate,
  kCalcium,
  kHemoglobin,
  kWhiteCells,
  kPlatelets,
  kFerritin,
  kAlt,
  kAst,
  kBilirubin,
  kAlbumin,
  kAlkalinePhosphatase,
  kTotalCholesterol,
  kLdl,
  kHdl,
  kTriglycerides,
  kTsh,
  kFreeT4,
  kVitaminD,
  kUricAcid,
  kBnp,
  kTroponin,
  kEjectionFraction,
  kCrp,
  kEsr,
  kRheumatoidFactor,
  kInr,
  kLactate,
  kOxygenTension,
  kCarbonDioxideTension,
  kPsa,
  kCea,
  kCa153,
  kCyfra,
  kSystolic,
  kDiastolic,
  kHeartRate,
  kRespiratoryRate,
  kTemperature,
  kOxygenSaturation,
  kBodyMassIndex,
  kFev1,
  kBoneDensity,
  kCognitionScore,
  kDepressionScore,
  kNumLabs
};

// Measurements that are ordered together.
enum class Panel : uint8_t {
  chemistry,
  blood_count,
  liver,
  lipids,
  thyroid,
  cardiac,
  inflammation,
  acute,
  markers,
  vitals,
  clinic,
  count
};

// How a measurement is distributed over people: mean + sd * z, or, if skewed, mean * exp(sd / mean
// * z); z is a standard normal number, moved by diseases. Values are rounded to `decimals`.
struct LabSpec {
  const char* name;
  const char* unit;
  float mean;
  float sd;
  bool is_skewed;
  int decimals;
  float severity_shift;  // added to z per unit of an acute illness's severity
  Panel panel;
};

extern const std::array<LabSpec, kNumLabs> kLabs;

}  // namespace sequela
