# The built-in tasks, sequela/label/tasks/*.yaml, as texts in the program: SEQUELA_TASKS_SOURCE is a file that
# defines builtin_texts() of sequela/label/builtin_tasks.h.
file(GLOB tasks CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sequela/label/tasks/*.yaml)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${tasks})
set(SEQUELA_TASKS_SOURCE ${CMAKE_BINARY_DIR}/builtin_texts.cc)
set(entries "")
foreach(task ${tasks})
  get_filename_component(name ${task} NAME_WE)
  file(READ ${task} text)
  string(APPEND entries "    {\"${name}\", R\"yaml(${text})yaml\"},\n")
endforeach()
file(CONFIGURE OUTPUT ${SEQUELA_TASKS_SOURCE} @ONLY CONTENT [[
#include "sequela/label/builtin_tasks.h"

namespace sequela {

const std::map<std::string, std::string>& builtin_texts() {
  static const std::map<std::string, std::string> texts = {
@entries@  };
  return texts;
}

}  // namespace sequela
]])
