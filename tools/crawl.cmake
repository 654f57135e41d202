# Using the labelled crawl: query, export, keywords, serve.
find_package(PkgConfig REQUIRED)
pkg_check_modules(HTTPLIB REQUIRED cpp-httplib)

# The explorer's page becomes part of the program.
foreach(part PAGE SCRIPT STYLE)
  set(name_PAGE index.html)
  set(name_SCRIPT app.js)
  set(name_STYLE style.css)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS web/${name_${part}})
  file(READ web/${name_${part}} AUFORGE_WEB_${part})
endforeach()
configure_file(web_files.cc.in ${CMAKE_CURRENT_BINARY_DIR}/web_files.cc @ONLY)

target_sources(auforge_commands PRIVATE
  report_faces.cc report_html.cc
  edit_process.cc explorer.cc explorer_json.cc export_command.cc face_export.cc face_query.cc keywords_command.cc query_command.cc
  serve_command.cc serve_http.cc ${CMAKE_CURRENT_BINARY_DIR}/web_files.cc)
set_source_files_properties(serve_http.cc PROPERTIES COMPILE_OPTIONS "${HTTPLIB_CFLAGS}")
target_link_libraries(auforge_commands PUBLIC auforge_export auforge_query PRIVATE ${HTTPLIB_LIBRARIES})
