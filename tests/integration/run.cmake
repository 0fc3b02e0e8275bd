# `datasync run` with agents that only pretend: no server is needed.
add_executable(fake_agent fake_agent.cpp)
target_link_libraries(fake_agent PRIVATE datasync_flags ds_health ds_config)

integration_test(run_test TIMEOUT 60)
target_compile_definitions(run_test PRIVATE FAKE_AGENT="$<TARGET_FILE:fake_agent>" DATASYNC="$<TARGET_FILE:datasync>")
add_dependencies(run_test fake_agent datasync)

# The same with the real agents and real servers.
integration_test(run_once_test WHOLE LINKS ds_integration_fixture TIMEOUT 300 PROCESSORS 2)
add_dependencies(run_once_test datasync datasync-capture datasync-apply)
integration_test(decisions_test WHOLE LINKS ds_integration_fixture ds_kafka TIMEOUT 300 PROCESSORS 2)
add_dependencies(decisions_test datasync datasync-capture datasync-apply)
