#The Kubernetes client and the operator's machinery with a real kube-apiserver.
integration_test(kube_test WHOLE LINKS ds_kube TIMEOUT 300)
    integration_test(kube_access_test WHOLE LINKS ds_kube TIMEOUT 120)
integration_test(runtime_test WHOLE LINKS ds_runtime TIMEOUT 300)
