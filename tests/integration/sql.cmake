# The sql layer against a real server; each program shares one server between its tests.
integration_test(sql_test LINKS ds_client_mysql ds_source_mariadb ds_destination_mariadb WHOLE)
target_sources(sql_test PRIVATE sql_cut_test.cpp)
integration_test(sql_rows_test LINKS ds_client_mysql ds_source_mariadb ds_destination_mariadb WHOLE)
target_sources(sql_rows_test PRIVATE key_types_data.cpp types_data.cpp)
# Thousands of random statements on a server, and what their place in the binlog says of them.
integration_test(statement_judgement_test WHOLE LINKS ds_client_mysql ds_source_mariadb ds_destination_mariadb ds_binlog TIMEOUT 900)
target_sources(statement_judgement_test PRIVATE judged_tables.cpp)
# The same statements in every run; `make soak` takes others.
set_tests_properties(statement_judgement_test PROPERTIES ENVIRONMENT DATASYNC_SEED=1007932)
datasync_label(statement_judgement_test soak)
