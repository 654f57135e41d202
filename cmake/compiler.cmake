# Flags shared by every target. Warnings live on the interface target auforge_warnings, so that third-party
# sources compiled here (googletest) are not held to them.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(AUFORGE_CCACHE ccache)
if(AUFORGE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${AUFORGE_CCACHE})
endif()
find_program(AUFORGE_MOLD mold)
if(AUFORGE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

if(AUFORGE_ARCH AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-march=${AUFORGE_ARCH})
  add_compile_definitions(AUFORGE_ARCH="${AUFORGE_ARCH}")
endif()
# Same input, same bytes: no reassociation, and fused multiply-add only where the source asks for it, so that
# the same expression inlined in two places rounds the same way.
add_compile_options(-ffp-contract=off)

if(AUFORGE_SANITIZE)
  add_compile_options(-fsanitize=${AUFORGE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${AUFORGE_SANITIZE})
endif()

add_library(auforge_warnings INTERFACE)
target_compile_options(auforge_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wold-style-cast)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns of overlaps inside std::string's own operator+ (GCC bug 105651).
  target_compile_options(auforge_warnings INTERFACE -Wno-restrict)
endif()
