# The capture agent with a source and a broker, judged by an independent reader of its topic.
integration_test(capture_test WHOLE LINKS ds_capture TIMEOUT 900 PROCESSORS 2)
target_sources(capture_test PRIVATE capture_reader.cpp capture_world.cpp)
add_dependencies(capture_test datasync-capture)
