// rules.cpp in CEL, as far as CEL can say it, and what must not change. CEL sees no annotations and no other resource:
// skip-offsets and two captures on one topic are told by the operator.
#include "operator/api/crd.hpp"

namespace datasync::api {
namespace {

constexpr CelRule kRules[] = {
    {"", "size(self.metadata.name) <= 52",
     "metadata.name is longer than 52 characters: agents and pods are named after it, choose a shorter one", ""},
    {"", "self.metadata.name.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",
     "metadata.name is not a DNS label: use lower case letters, digits and '-', no '.'", ""},

    {"spec", "has(self.source) || has(self.destination)", "needs a source, a destination or both", ""},
    {"spec", "self.mode != 'Once' || !has(self.source) || self.source.snapshot.mode != 'Never'",
     "with Never nothing is copied; mode Once needs Initial", ".source.snapshot.mode"},
    {"spec", "!has(self.source) || !has(self.types) || self.types.all(n, self.source.types.exists(t, t.name == n))",
     "names a type that spec.source.types does not have: add it there, or remove it here", ".types"},
    {"spec",
     "!has(self.source) || !has(self.destination) || !has(self.destination.tables) || "
     "!has(self.destination.tables.rename) || self.destination.tables.rename.all(from, self.source.types.exists(t, "
     "(!has(self.types) || size(self.types) == 0 || t.name in self.types) && from in t.tables))",
     "renames a table that is not one of the types this task stores: name a table of those types, or remove it",
     ".destination.tables.rename"},
    {"spec",
     "!has(self.source) || !has(self.destination) || !has(self.destination.tables) || "
     "!has(self.destination.tables.rename) || self.destination.tables.rename.all(from, "
     "self.destination.tables.rename[from] in self.destination.tables.rename || "
     "!self.source.types.exists(t, (!has(self.types) || size(self.types) == 0 || t.name in self.types) && "
     "self.destination.tables.rename[from] in t.tables))",
     "stores a table where another one is stored under its own name: choose another name, or rename that one too",
     ".destination.tables.rename"},
    {"spec",
     "!has(self.source) || !has(self.destination) || !self.source.replicas.exists(r, r.host == self.destination.host "
     "&& r.port == (has(self.destination.port) ? self.destination.port : self.destination.engine == 'PostgreSQL' ? "
     "5432 : 3306)) || !(self.source.types.exists(t, (!has(self.types) || size(self.types) == 0 || t.name in "
     "self.types) "
     "&& t.tables.exists(x, !(has(self.destination.tables) && has(self.destination.tables.rename) && x in "
     "self.destination.tables.rename))) || (has(self.destination.tables) && has(self.destination.tables.rename) && "
     "self.destination.tables.rename.exists(from, self.source.types.exists(t, self.destination.tables.rename[from] in "
     "t.tables))))",
     "is a replica of the source: a table would be captured from and stored in the same place; rename the tables or "
     "choose "
     "another server",
     ".destination.host"},

    {"spec.source.engine", "self == oldSelf",
     "cannot be changed: use another DataSync with its own topic for another source", ""},
    {"spec.source.tls", "self.mode != 'Disabled' || !has(self.caSecretName) || self.caSecretName == ''",
     "is Disabled, but caSecretName is set; choose Required, VerifyCa or VerifyIdentity", ".mode"},
    {"spec.source.types", "self.map(t, size(t.tables)).sum() <= 1000",
     "has more than 1000 tables in all types: spread them over several DataSyncs, each with its own topic", ""},
    {"spec.source.types", "self.all(t, self.all(u, t.name <= u.name || t.tables.all(x, !(x in u.tables))))",
     "a table is in two types: keep it in one", ""},
    {"spec.source.types[].tables[]", "!self.contains('*')", "wildcards are not supported, name each table", ""},
    {"spec.source.types[]",
     "!has(self.excludeColumns) || self.excludeColumns.all(c, size(c.split('.', 3)) < 3 || "
     "(c.split('.', 3)[0] + '.' + c.split('.', 3)[1]) in self.tables)",
     "excludes a column of a table that is not of this type: name the table in tables, or remove the column",
     ".excludeColumns"},
    {"spec.source.types[]", "!has(self.keyColumns) || self.keyColumns.all(t, t in self.tables)",
     "declares a key for a table that is not of this type: name the table in tables, or remove the key", ".keyColumns"},
    {"spec.source.types[]",
     "!has(self.keyColumns) || !has(self.excludeColumns) || self.keyColumns.all(t, self.keyColumns[t].all(k, "
     "!((t + '.' + k) in self.excludeColumns)))",
     "has a key column that excludeColumns leaves out: a key column must be published", ".keyColumns"},

    {"spec.channel.topic", "self == oldSelf", "cannot be changed: use another DataSync for another topic", ""},
    {"spec.channel.topic", "!self.endsWith('.state')", "ends in .state, which is the name of a state topic", ""},
    {"spec.channel.partitions", "self == oldSelf",
     "cannot be changed: it determines the order of a type's rows; another number needs a new topic and DataSync", ""},
    {"spec.channel.sasl",
     "!has(self.mechanism) || self.mechanism == '' || (has(self.secretName) && self.secretName != '')",
     "is required when a mechanism is given", ".secretName"},

    {"spec.destination.engine", "self == oldSelf", "cannot be changed: use another DataSync for another destination",
     ""},
    {"spec.destination.ledgerDatabase", "self == oldSelf",
     "cannot be changed: the ledger holds how far rows have been stored; use another DataSync for another ledger", ""},
    {"spec.destination.tls", "self.mode != 'Disabled' || !has(self.caSecretName) || self.caSecretName == ''",
     "is Disabled, but caSecretName is set; choose Required, VerifyCa or VerifyIdentity", ".mode"},
    {"spec.destination", "self.engine != 'PostgreSQL' || self.schemaChanges != 'ApplyAll'",
     "ApplyAll is not possible with PostgreSQL; choose ApplyAdditive or Halt", ".schemaChanges"},
    {"spec.destination.tables.rename", "self.all(a, self.all(b, a == b || self[a] != self[b]))",
     "stores two tables in one: give each its own name", ""},
};

}  // namespace

std::span<const CelRule> cel_rules() {
  return kRules;
}

}  // namespace datasync::api
