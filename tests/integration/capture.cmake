# The capture agent with a source and a broker, judged by an independent reader of its topic.
integration_test(capture_test WHOLE LINKS ds_capture ds_source_mariadb TIMEOUT 900 PROCESSORS 2)
target_sources(capture_test PRIVATE capture_reader.cpp capture_environment.cpp)
add_dependencies(capture_test datasync-capture)

# What once went wrong, on the same environment; and parts of the agent by themselves.
integration_test(capture_regressions_test WHOLE LINKS ds_capture ds_source_mariadb TIMEOUT 600 PROCESSORS 2)
target_sources(capture_regressions_test PRIVATE capture_reader.cpp capture_environment.cpp)
add_dependencies(capture_regressions_test datasync-capture)
integration_test(capture_replicas_test WHOLE LINKS ds_capture ds_source_mariadb TIMEOUT 600 PROCESSORS 2)
target_sources(capture_replicas_test PRIVATE capture_reader.cpp capture_environment.cpp)
add_dependencies(capture_replicas_test datasync-capture)
integration_test(capture_parts_test WHOLE LINKS ds_capture ds_source_mariadb binlog_test_support)

# What capture expects of every engine of a source.
integration_test(source_conformance_test WHOLE LINKS ds_source_mariadb ds_source_memory TIMEOUT 300)
target_sources(source_conformance_test PRIVATE source_engines.cpp)
