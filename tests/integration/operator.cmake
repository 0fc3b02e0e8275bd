# The operator as a process against a real kube-apiserver.
datasync_layer(operator_environment SOURCES operator_environment.cpp PUBLIC ds_test_support ds_kube nlohmann_json::nlohmann_json
               PRIVATE fmt::fmt)
target_compile_definitions(ds_operator_environment PRIVATE OPERATOR="$<TARGET_FILE:datasync-operator>"
                                                     CRD_FILE="${PROJECT_SOURCE_DIR}/crds/datasync.dev_datasyncs.yaml")
add_dependencies(ds_operator_environment datasync-operator)

foreach(name IN ITEMS chart deletion faults fields kill pods refusals rollout scale)
  integration_test(operator_${name}_test WHOLE LINKS ds_operator_environment ds_desired PkgConfig::httplib TIMEOUT 900)
endforeach()
target_link_libraries(operator_pods_test PRIVATE ds_cli ds_client_mysql)
target_compile_definitions(operator_chart_test PRIVATE PROJECT_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                                       OPERATOR="$<TARGET_FILE:datasync-operator>")
