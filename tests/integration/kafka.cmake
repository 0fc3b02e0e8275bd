# agents/kafka with a real broker: what the in-process cluster of the unit tests does not know.
integration_test(kafka_test WHOLE LINKS ds_kafka TIMEOUT 300)
