# Using the labelled crawl: query, export, keywords.
target_sources(auforge_commands PRIVATE
  export_command.cc face_export.cc face_query.cc keywords_command.cc query_command.cc)
target_link_libraries(auforge_commands PUBLIC auforge_export auforge_query)
