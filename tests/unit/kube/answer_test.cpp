#include "operator/kube/answer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "operator/kube/paths.hpp"

namespace datasync::kube {
namespace {

using std::chrono::milliseconds;

struct Row {
  std::string name;
  int status;
  std::string body;
  Code code;
};

class ErrorOf : public testing::TestWithParam<Row> {};

TEST_P(ErrorOf, HasTheCode) {
  const auto error = error_of({GetParam().status, milliseconds(0), GetParam().body}, "get pods ns/a");
  EXPECT_EQ(error.code, GetParam().code) << to_string(error.code);
  EXPECT_EQ(error.http, GetParam().status);
  EXPECT_EQ(error.message.find("get pods ns/a: "), 0U);
}

std::string status(const std::string& reason, const std::string& message) {
  return Json{{"kind", "Status"}, {"reason", reason}, {"message", message}}.dump();
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ErrorOf,
    testing::Values(
        Row{"NotFound", 404, status("NotFound", "x"), Code::NotFound},
        Row{"Conflict", 409, status("Conflict", "x"), Code::Conflict},
        Row{"AlreadyExists", 409, status("AlreadyExists", "x"), Code::AlreadyExists},
        Row{"Gone", 410, status("Expired", "x"), Code::Gone},
        Row{"Unauthorized", 401, status("Unauthorized", "x"), Code::Unauthorized},
        Row{"RightMissing", 403,
            status("Forbidden", R"(pods is forbidden: User "u" cannot list resource "pods" in API group "")"),
            Code::Forbidden},
        Row{"QuotaUsedUp", 403, status("Forbidden", R"(pods "a" is forbidden: exceeded quota: q, requested: pods=1)"),
            Code::Invalid},
        Row{"WebhookSaidNo", 403, status("Forbidden", R"(admission webhook "w" denied the request: no)"),
            Code::Invalid},
        Row{"Invalid", 422, status("Invalid", "x"), Code::Invalid},
        Row{"OtherUid", 422, R"({"kind":"Status","reason":"Invalid","details":{"causes":[{"field":"metadata.uid"}]}})",
            Code::Conflict},
        Row{"BadRequest", 400, status("BadRequest", "x"), Code::Invalid},
        Row{"TooMany", 429, status("TooManyRequests", "x"), Code::TooManyRequests},
        Row{"Internal", 500, status("InternalError", "x"), Code::ServerError},
        Row{"Unavailable", 503, "upstream connect error", Code::ServerError},
        Row{"GatewayTimeout", 504, status("Timeout", "x"), Code::Timeout},
        // As a kube-apiserver 1.31 answers a server-side apply.
        Row{"FieldNotInTheSchema", 500,
            status("",
                   "failed to create typed patch object (w/shop-apply; apps/v1, Kind=Deployment): "
                   ".spec.template.spec.nodeSelektor: field not declared in schema"),
            Code::Invalid},
        Row{"FieldOfAnotherType", 500,
            status("",
                   "failed to create typed patch object (w/shop-apply; apps/v1, Kind=Deployment): "
                   ".spec.template.spec.containers: expected list, got &{map[]}"),
            Code::Invalid},
        Row{"TooLargeForEtcd", 500, status("InternalError", "etcdserver: request is too large"), Code::Invalid},
        Row{"WebhookDoesNotAnswer", 500,
            status("InternalError", R"(Internal error occurred: failed calling webhook "w": failed to call webhook: )"
                                    R"(context deadline exceeded)"),
            Code::ServerError},
        Row{"WebhookFailsInOurWords", 500,
            status("InternalError",
                   R"(Internal error occurred: failed calling webhook "w": field not declared in schema)"),
            Code::ServerError},
        Row{"EtcdIsAway", 500, status("InternalError", "etcdserver: request timed out"), Code::ServerError},
        Row{"EntityTooLarge", 413, status("RequestEntityTooLarge", "limit is 3145728"), Code::Invalid},
        Row{"UnsupportedType", 415, status("UnsupportedMediaType", "x"), Code::Invalid},
        Row{"RequestTimeout", 408, "", Code::Timeout}, Row{"Redirect", 302, "<html>", Code::Malformed}),
    [](const auto& row) { return row.param.name; });

TEST(ErrorOf, HasTheServersMessageAndTheRetryDelay) {
  const auto error = error_of({429, milliseconds(0),
                               R"({"kind":"Status","reason":"TooManyRequests","message":"slow down",
                                   "details":{"retryAfterSeconds":7}})"},
                              "list pods ns");
  EXPECT_EQ(error.message, "list pods ns: slow down");
  EXPECT_EQ(error.retry_after, milliseconds(7000));
  EXPECT_EQ(error_of({503, milliseconds(3000), "<html>down</html>\nmore"}, "list").retry_after, milliseconds(3000));
  EXPECT_EQ(error_of({503, milliseconds(0), "<html>down</html>\nmore"}, "list").message,
            "list: HTTP 503: <html>down</html>");
}

TEST(ErrorOf, LimitsTheRetryDelayThatAServerRequests) {
  EXPECT_EQ(error_of({503, milliseconds(86'400'000), ""}, "list").retry_after, milliseconds(300'000));
  const auto asked = [](const char* seconds) {
    return error_of({429, milliseconds(0),
                     fmt::format(R"({{"kind":"Status","reason":"TooManyRequests",
                     "details":{{"retryAfterSeconds":{}}}}})",
                                 seconds)},
                    "list")
        .retry_after;
  };
  EXPECT_EQ(asked("9223372036854775807"), milliseconds(300'000));
  EXPECT_EQ(asked("-5"), milliseconds(0));
}

TEST(PageOf, GivesItemsTheirKind) {
  const auto page = page_of({200, {}, R"({"kind":"DeploymentList","metadata":{"resourceVersion":"7","continue":"c"},
                                          "items":[{"metadata":{"name":"a"}}]})"},
                            kDeployments, "list");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->list.resource_version, "7");
  EXPECT_EQ(page->next, "c");
  EXPECT_EQ(page->list.items.at(0).at("apiVersion"), "apps/v1");
  EXPECT_EQ(page->list.items.at(0).at("kind"), "Deployment");
  EXPECT_TRUE(page_of({200, {}, R"({"metadata":{},"items":null})"}, kPods, "list")->list.items.empty());
  for (const auto* bad :
       {"", "[]", "{}", R"({"metadata":{},"items":{}})", R"({"metadata":{},"items":[1]})",
        R"({"metadata":{},"items":[{"kind":"Pod"}]})", R"({"metadata":{},"items":[{"metadata":"a"}]})"}) {
    EXPECT_EQ(page_of({200, {}, bad}, kPods, "list").error().code, Code::Malformed) << bad;
  }
}

TEST(EventOf, ReadsEveryTypeAndGoneInsideAStream) {
  EXPECT_EQ(event_of(R"({"type":"ADDED","object":{"metadata":{}}})", "w")->type, EventType::Added);
  EXPECT_EQ(event_of(R"({"type":"MODIFIED","object":{"metadata":{}}})", "w")->type, EventType::Modified);
  EXPECT_EQ(event_of(R"({"type":"DELETED","object":{"metadata":{}}})", "w")->type, EventType::Deleted);
  EXPECT_EQ(event_of(R"({"type":"BOOKMARK","object":{"metadata":{}}})", "w")->type, EventType::Bookmark);
  const auto gone =
      event_of(R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}})", "w");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::Gone);
  EXPECT_EQ(gone.error().message, "w: too old");
  for (const auto* bad :
       {"", "{", R"({"type":"ADDED"})", R"({"type":"NEW","object":{"metadata":{}}})", R"({"object":{"metadata":{}}})",
        R"({"type":"ADDED","object":{}})", R"({"type":"BOOKMARK","object":{"metadata":1}})"}) {
    EXPECT_EQ(event_of(bad, "w").error().code, Code::Malformed) << bad;
  }
}

TEST(Paths, AreThoseOfTheApi) {
  EXPECT_EQ(collection_path(kPods, "ns"), "/api/v1/namespaces/ns/pods");
  EXPECT_EQ(collection_path(kDeployments, ""), "/apis/apps/v1/deployments");
  EXPECT_EQ(object_path(kDataSyncs, {"ns", "a"}, "status"),
            "/apis/datasync.dev/v1alpha1/namespaces/ns/datasyncs/a/status");
  EXPECT_EQ(object_path(kPods, {"ns", "../x?y"}), "/api/v1/namespaces/ns/pods/..%2Fx%3Fy");
  EXPECT_EQ(Query().add("a", "").add("labelSelector", "x=y,z in (1)").add("b", "c").text(),
            "?labelSelector=x%3Dy%2Cz%20in%20%281%29&b=c");
}

}  // namespace
}  // namespace datasync::kube
