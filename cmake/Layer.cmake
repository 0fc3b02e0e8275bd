# datasync_layer(NAME SOURCES a.cpp b.cpp [PUBLIC targets] [PRIVATE targets])
# One layer is one folder, one namespace and one static library, ds_NAME.
function(datasync_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(ds_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(ds_${name} PUBLIC datasync_flags ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# datasync_label(NAME LABEL): the target tests-LABEL builds NAME.
function(datasync_label name label)
  if(NOT TARGET tests-${label})
    add_custom_target(tests-${label})
  endif()
  add_dependencies(tests-${label} ${name})
endfunction()

# datasync_test(NAME SOURCES a.cpp [LINKS targets] [LABEL unit|integration|model] [TIMEOUT seconds] [THREADS])
# One GoogleTest program; each of its tests becomes one ctest test.
# THREADS: it tests code that several threads use, so that the stage tsan-unit runs it with ThreadSanitizer as well. The
# target tests-threads builds these programs; their label is unit-threads.
function(datasync_test name)
  cmake_parse_arguments(ARG "THREADS" "LABEL;TIMEOUT" "SOURCES;LINKS" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE datasync_flags ${ARG_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  datasync_label(${name} ${ARG_LABEL})
  if(ARG_THREADS)
    datasync_label(${name} threads)
    set(ARG_LABEL ${ARG_LABEL}-threads)
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
endfunction()
