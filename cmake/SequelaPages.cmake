# Manual pages and completion scripts, which the command itself writes, and where they are installed: below the prefix, or
# with the Python package below that of its environment.
set(pages ${CMAKE_BINARY_DIR}/share)
add_custom_command(OUTPUT ${pages}/made
  COMMAND ${CMAKE_COMMAND} -E make_directory ${pages}/bash ${pages}/zsh ${pages}/fish
  COMMAND sequela man --out ${pages}/man
  COMMAND sequela completion bash > ${pages}/bash/sequela
  COMMAND sequela completion zsh > ${pages}/zsh/_sequela
  COMMAND sequela completion fish > ${pages}/fish/sequela.fish
  COMMAND ${CMAKE_COMMAND} -E touch ${pages}/made
  DEPENDS sequela COMMENT "Manual pages and completion scripts")
add_custom_target(sequela_pages ALL DEPENDS ${pages}/made)

set(component command)
set(share share)
if(SKBUILD)
  set(component python)
  set(share ${SKBUILD_DATA_DIR}/share)
else()
  set_target_properties(sequela PROPERTIES INSTALL_RPATH "${pyarrow_folder};${torch_folder}/lib;${duckdb_folder}")
  install(TARGETS sequela DESTINATION bin COMPONENT ${component})
endif()
install(DIRECTORY ${pages}/man/ DESTINATION ${share}/man/man1 COMPONENT ${component})
install(DIRECTORY ${pages}/bash/ DESTINATION ${share}/bash-completion/completions COMPONENT ${component})
install(DIRECTORY ${pages}/zsh/ DESTINATION ${share}/zsh/site-functions COMPONENT ${component})
install(DIRECTORY ${pages}/fish/ DESTINATION ${share}/fish/vendor_completions.d COMPONENT ${component})
