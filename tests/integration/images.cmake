# What `make images` has built; a label of its own, as it needs that first (tools/test images).
add_executable(images_test images_test.cpp)
target_link_libraries(images_test PRIVATE datasync_flags ds_test_support nlohmann_json::nlohmann_json GTest::gtest
                                          GTest::gtest_main)
target_compile_definitions(images_test PRIVATE PROJECT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
datasync_label(images_test images)
add_test(NAME images_test COMMAND images_test)
set_tests_properties(images_test PROPERTIES LABELS images TIMEOUT 120)

# Names, tags, docker's way and a registry.
add_executable(images_tool_test images_tool_test.cpp)
target_link_libraries(images_tool_test PRIVATE datasync_flags ds_test_support fmt::fmt nlohmann_json::nlohmann_json
                                               GTest::gtest GTest::gtest_main)
target_compile_definitions(images_tool_test PRIVATE PROJECT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
datasync_label(images_tool_test images)
add_test(NAME images_tool_test COMMAND images_tool_test)
set_tests_properties(images_tool_test PROPERTIES LABELS images TIMEOUT 600)
