# What is installed, and Debian packages of it (cpack): auforge, and auforge-gan with what needs LibTorch.
#   cmake --install build/release --prefix /opt/auforge [--component auforge|gan]
#   cd build/release && cpack
# packaging/portable.sh makes the archive that brings its own libraries.
include(GNUInstallDirs)
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
    WORLD_EXECUTE)
set(AUFORGE_PACKAGING ${PROJECT_SOURCE_DIR}/packaging)

install(TARGETS auforge auforge-video RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT auforge)
install(FILES annotator/models/default.h5 annotator/models/landmarks.net annotator/models/dense.net annotator/models/detector.net DESTINATION ${CMAKE_INSTALL_DATADIR}/auforge COMPONENT auforge)
if(AUFORGE_WITH_TORCH)
  install(TARGETS auforge-gan RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT gan)
  install(FILES gan/models/default.h5 RENAME generator.h5 DESTINATION ${CMAKE_INSTALL_DATADIR}/auforge COMPONENT gan)
endif()

# The papers of a Debian package.
set(papers ${PROJECT_BINARY_DIR}/packaging)
file(MAKE_DIRECTORY ${papers})
file(READ LICENSE license)
file(READ NOTICE notice)
file(WRITE ${papers}/copyright "AuForge\n\n${license}\n${notice}")
execute_process(COMMAND gzip -9nc ${AUFORGE_PACKAGING}/changelog OUTPUT_FILE ${papers}/changelog.gz)
foreach(component auforge gan)
  set(package auforge)
  if(component STREQUAL "gan")
    set(package auforge-gan)
    if(NOT AUFORGE_WITH_TORCH)
      continue()
    endif()
  endif()
  install(FILES ${papers}/copyright ${papers}/changelog.gz DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component})
  install(FILES ${AUFORGE_PACKAGING}/${package}.lintian-overrides RENAME ${package}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides COMPONENT ${component})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME auforge)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "AuForge <auforge@users.noreply.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
set(CPACK_COMPONENTS_ALL auforge)
if(AUFORGE_WITH_TORCH)
  list(APPEND CPACK_COMPONENTS_ALL gan)
endif()
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_AUFORGE_PACKAGE_NAME auforge)
set(CPACK_DEBIAN_GAN_PACKAGE_NAME auforge-gan)
# Any BLAS would do, slowly. dlib's landmark weights serve older AU models alone.
set(CPACK_DEBIAN_AUFORGE_PACKAGE_DEPENDS "libopenblas0")
set(CPACK_DEBIAN_AUFORGE_PACKAGE_SUGGESTS "auforge-gan, wordnet-base, libdlib-data")
set(CPACK_DEBIAN_GAN_PACKAGE_DEPENDS "auforge (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_AUFORGE_DESCRIPTION "labels faces with FACS Action Units
From a crawl of images to training shards: faces are found, aligned and
labelled with 22 Action Units, emotions, pose and quality, and written as
HDF5 files that can be queried, reported on and exported.")
set(CPACK_DEBIAN_GAN_DESCRIPTION "edits facial expressions by FACS Action Units
Trains GANimation on the shards that auforge writes, and edits the
expressions of faces in photographs.")
include(CPack)
