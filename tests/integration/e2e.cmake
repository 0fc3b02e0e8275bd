# End-to-end tests: real servers and the real agents. Each program shares its environment among its tests.
add_library(ds_integration_fixture STATIC e2e_fixture.cpp chaos.cpp key_types_data.cpp schema_chaos.cpp schema_chaos_hazards.cpp schema_chaos_script.cpp schema_chaos_settle.cpp schema_chaos_words.cpp types_data.cpp)
target_link_libraries(ds_integration_fixture PUBLIC datasync_flags ds_test_support GTest::gtest)

# Copy and stream agree; the defects of copies and of the decoder.
integration_test(images_agree_test WHOLE LINKS ds_integration_fixture ds_capture ds_source_mariadb TIMEOUT 600 PROCESSORS 2)
target_sources(images_agree_test PRIVATE agree_data.cpp agree_reader.cpp copy_defects.cpp)
add_dependencies(images_agree_test datasync-capture datasync-apply)

foreach(name IN ITEMS types_test statements_test chaos_test halts_test copies_test held_tables_test definitions_test destination_test recovery_test memory_test security_test)
  integration_test(${name} WHOLE LINKS ds_integration_fixture TIMEOUT 1200 PROCESSORS 2)
  add_dependencies(${name} datasync-capture datasync-apply)
endforeach()
target_sources(recovery_test PRIVATE recovery_reasons.cpp)
target_sources(definitions_test PRIVATE definitions_gone.cpp definitions_secrets.cpp definitions_unannounced.cpp)
target_sources(destination_test PRIVATE destination_altered_test.cpp)
target_sources(security_test PRIVATE security_rights.cpp)

# Replicas that change while they are read.
integration_test(replicas_watch_test WHOLE LINKS ds_integration_fixture TIMEOUT 600 PROCESSORS 2)
target_sources(replicas_watch_test PRIVATE replicas_domains.cpp)
target_compile_definitions(replicas_watch_test PRIVATE PROJECT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
add_dependencies(replicas_watch_test datasync-capture datasync-apply)
target_sources(destination_test PRIVATE destination_copies_test.cpp destination_gone_test.cpp destination_held_test.cpp
               destination_known_test.cpp destination_undone_test.cpp)

# Who may write, and what becomes of a topic that loses records.
integration_test(exactly_once_test WHOLE LINKS ds_integration_fixture ds_kafka TIMEOUT 600 PROCESSORS 2)
target_sources(exactly_once_test PRIVATE topic_losses_test.cpp)
add_dependencies(exactly_once_test datasync datasync-capture datasync-apply)

# Random schema changes against everything: two halves that mostly wait, each with the same statements in every run;
# `make soak` takes others.
add_executable(schema_chaos_test schema_chaos_test.cpp)
target_link_libraries(schema_chaos_test PRIVATE ds_integration_fixture GTest::gtest_main)
add_dependencies(schema_chaos_test datasync-capture datasync-apply)
datasync_label(schema_chaos_test integration)
datasync_label(schema_chaos_test soak)
foreach(part IN ITEMS EndsEqualOrReportsWhatToDo EndsEqualWithNamesWithoutCase)
  add_test(NAME SchemaChaosTest.${part} COMMAND schema_chaos_test --gtest_filter=SchemaChaosTest.${part})
  set_tests_properties(SchemaChaosTest.${part} PROPERTIES LABELS integration TIMEOUT 1200 ENVIRONMENT DATASYNC_SEED=1)
endforeach()
