# Texts that are a part of the program: sequela_texts(OUTPUT FOLDER HEADER FUNCTION) makes of FOLDER/*.yaml a file, whose
# path OUTPUT gets, that defines FUNCTION() of HEADER: name -> text.
function(sequela_texts output folder header function)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.yaml)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  set(entries "")
  foreach(file ${files})
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} text)
    string(APPEND entries "    {\"${name}\", R\"yaml(${text})yaml\"},\n")
  endforeach()
  set(path ${CMAKE_BINARY_DIR}/${function}.cc)
  file(CONFIGURE OUTPUT ${path} @ONLY CONTENT [[
#include "@header@"

namespace sequela {

const std::map<std::string, std::string>& @function@() {
  static const std::map<std::string, std::string> texts = {
@entries@  };
  return texts;
}

}  // namespace sequela
]])
  set(${output} ${path} PARENT_SCOPE)
endfunction()
