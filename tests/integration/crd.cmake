# What people and tools see of the operator without one: the definition, the chart, the plugin, GitOps.
foreach(name IN ITEMS crd chart plugin)
  integration_test(${name}_test WHOLE TIMEOUT 300 LINKS ds_cli)
  target_compile_definitions(${name}_test PRIVATE PROJECT_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                                  DATASYNC="$<TARGET_FILE:datasync>")
endforeach()
add_dependencies(plugin_test datasync datasync-capture datasync-apply)
integration_test(gitops_test TIMEOUT 30 LINKS nlohmann_json::nlohmann_json)
target_compile_definitions(gitops_test PRIVATE PROJECT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
