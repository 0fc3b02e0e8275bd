# The apply agent with records made by hand; its tests share one broker and one destination.
integration_test(apply_test WHOLE LINKS ds_apply ds_destination_engines ds_kafka_testing TIMEOUT 900 PROCESSORS 2)
target_sources(apply_test PRIVATE apply_regressions_test.cpp apply_remains_test.cpp apply_writer_test.cpp
                                  apply_environment.cpp)
add_dependencies(apply_test datasync-apply)

# What apply expects of every engine of a destination.
integration_test(destination_conformance_test WHOLE LINKS ds_destination_mariadb ds_destination_memory TIMEOUT 300)
target_sources(destination_conformance_test PRIVATE destination_engines.cpp)
