# LibTorch out of PyTorch's Python package, AUFORGE_TORCH. Its own CMake files want CUDA's compiler, which nothing here needs.
file(STRINGS ${AUFORGE_TORCH}/version.py version_line REGEX "^__version__")
string(REGEX REPLACE ".*'(.*)'.*" "\\1" Torch_VERSION "${version_line}")
set(TORCH_INCLUDE_DIRS ${AUFORGE_TORCH}/include ${AUFORGE_TORCH}/include/torch/csrc/api/include)
add_library(auforge_torch INTERFACE)
# Nothing calls the libraries of CUDA by name: being loaded is what they are for.
target_link_options(auforge_torch INTERFACE LINKER:--no-as-needed)
# LibTorch's parallel loops are templates, parallel where they are compiled so.
target_compile_options(auforge_torch INTERFACE -fopenmp)
foreach(library torch torch_cpu torch_cuda c10 c10_cuda gomp)
  file(GLOB found ${AUFORGE_TORCH}/lib/lib${library}.so ${AUFORGE_TORCH}/lib/lib${library}.so.1 ${AUFORGE_TORCH}/lib/lib${library}-*.so.1)
  if(found)
    target_link_libraries(auforge_torch INTERFACE ${found})
  endif()
endforeach()
set(TORCH_LIBRARIES auforge_torch)
