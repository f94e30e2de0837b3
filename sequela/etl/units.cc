#include "sequela/etl/units.h"

#include <cctype>
#include <map>
#include <string>

namespace sequela {
namespace {

// In lower case and without blanks.
std::string folded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\t')
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

const std::map<std::string, std::string_view, std::less<>>& units() {
  // Units in UCUM, and spellings that are none, in lower case. Each line: UCUM, then spellings.
  static constexpr const char* kUnits[] = {
      "% percent pct %pct",
      "mg/dL",
      "g/dL gm/dl g/100ml",
      "g/L gm/l",
      "mg/L",
      "ug/mL mcg/ml",
      "ug/L mcg/l",
      "ug/dL mcg/dl",
      "ng/mL",
      "ng/dL",
      "ng/L",
      "pg/mL",
      "pg",
      "fL fl",
      "mmol/L mm/l",
      "umol/L mcmol/l",
      "nmol/L",
      "pmol/L",
      "mol/L",
      "meq/L meq/l",
      "meq",
      "mmol",
      "umol",
      "[IU]/L iu/l u/l units/l",
      "[IU]/mL iu/ml u/ml units/ml",
      "m[IU]/L miu/l uiu/ml mu/l",
      "m[IU]/mL miu/ml mu/ml",
      "[IU] iu u unit units",
      "[IU]/h units/hour u/hr u/h",
      "10*3/uL k/ul k/cumm x10e3/ul 10^3/ul th/ul thou/ul 10e3/ul k/mm3 x10^3/ul x10(3)/mcl",
      "10*6/uL m/ul mil/ul x10e6/ul 10^6/ul 10e6/ul m/mm3 x10^6/ul",
      "10*9/L 10^9/l x10^9/l 10e9/l",
      "10*12/L 10^12/l x10^12/l 10e12/l",
      "/uL #/ul cells/ul /mm3 #/cu.mm",
      "/[HPF] #/hpf /hpf",
      "/[LPF] #/lpf /lpf",
      "mm[Hg] mmhg torr",
      "cm[H2O] cmh2o",
      "kPa",
      "/min bpm beats/min insp/min breaths/min /minute {beats}/min",
      "kg kgs kilogram",
      "g gm gram grams",
      "mg mgs",
      "ug mcg",
      "ng",
      "L liter litre",
      "mL ml cc",
      "dL",
      "uL mcl",
      "cm",
      "mm",
      "m meter",
      "[in_i] inch inches in",
      "[ft_i] feet ft",
      "[lb_av] lb lbs pound pounds",
      "[oz_av] oz",
      "Cel degc celsius c °c deg.c degreesc",
      "[degF] degf fahrenheit f °f deg.f degreesf",
      "kg/m2 kg/m^2 kg/m²",
      "m2 m^2 m²",
      "s sec seconds secs",
      "min minute minutes",
      "h hr hour hours hrs",
      "d day days",
      "wk week weeks",
      "mo month months",
      "a year years yr",
      "L/min l/min lpm",
      "mL/min",
      "mL/h ml/hr ml/hour cc/hr",
      "mL/min/{1.73_m2} ml/min/1.73m2 ml/min/1.73m^2 ml/min/1.73",
      "mg/h mg/hr mg/hour",
      "ug/h mcg/hr mcg/hour",
      "ug/min mcg/min",
      "mg/min",
      "ug/kg/min mcg/kg/min",
      "ug/kg/h mcg/kg/hour mcg/kg/hr",
      "mg/kg/h mg/kg/hour mg/kg/hr",
      "mg/kg",
      "g/kg gm/kg",
      "g/h grams/hour gm/hr",
      "meq/h meq/hr meq/hour",
      "mm/h mm/hr",
      "mg/g",
      "mg/mmol",
      "ng/mL/h ng/ml/hr",
      "{ratio} ratio",
      "{INR} inr",
      "{score} score",
      "1 none",
      "[pH] ph",
      "mosm/kg mosm/kgh2o",
      "mosm/L mosm/l",
      "10*3 k",
      "dyn.s/cm5 dynes.sec/cm5",
      "[drp] drops gtt",
      "{tbl} tab tablet tablets",
      "{capsule} cap capsule"};
  static const auto table = [] {
    std::map<std::string, std::string_view, std::less<>> map;
    for (const std::string_view line : kUnits) {
      const std::string_view ucum = line.substr(0, line.find(' '));
      map.emplace(folded(ucum), ucum);
      for (size_t at = line.find(' '); at != std::string_view::npos;) {
        const size_t end = line.find(' ', at + 1);
        map.emplace(
            std::string(line.substr(at + 1, end == std::string_view::npos ? end : end - at - 1)),
            ucum);
        at = end;
      }
    }
    return map;
  }();
  return table;
}

}  // namespace

std::optional<std::string_view> ucum_unit(std::string_view unit) {
  if (unit == "M" || unit == "K") return std::nullopt;  // mega and kilo of what?
  const auto found = units().find(folded(unit));
  if (found == units().end()) return std::nullopt;
  return found->second;
}

}  // namespace sequela
