// Tables whose keys are of every type that can be one.

#include "tests/integration/types_data.hpp"

namespace datasync::test {

std::vector<KeyTable> key_tables() {
  return {
      {"composite",
       "(b INT NOT NULL, note VARCHAR(20), a VARCHAR(20) NOT NULL, d DATE NOT NULL, PRIMARY KEY (d, a, b))",
       {"INSERT INTO {} VALUES (1, 'n', 'x', '2024-01-01'), (2, NULL, 'x', '2024-01-01'), (1, 'm', 'y', '0000-00-00')"},
       {"UPDATE {} SET note = 'changed' WHERE b = 1", "UPDATE {} SET b = b + 10 WHERE a = 'x'",
        "UPDATE {} SET d = '2025-05-05' WHERE a = 'y'", "DELETE FROM {} WHERE b = 12",
        "INSERT INTO {} VALUES (5, 'five', 'é', '9999-12-31')"}},
      {"ci_key",
       "(k VARCHAR(30) COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY, v INT)",
       {"INSERT INTO {} VALUES ('abc', 1), ('straße', 2), ('Zoë', 3), ('trail', 4)"},
       {"UPDATE {} SET k = 'ABC' WHERE k = 'abc'", "UPDATE {} SET k = 'trail  ' WHERE k = 'trail'",
        "UPDATE {} SET k = 'ZOE' WHERE k = 'zoe'", "UPDATE {} SET v = v + 10",
        "DELETE FROM {} WHERE k = 'STRASSE' OR k = 'straße'", "INSERT INTO {} VALUES ('STRASSe', 9)",
        "REPLACE INTO {} VALUES ('Abc', 11)", "INSERT INTO {} VALUES ('aBC', 0) ON DUPLICATE KEY UPDATE v = v + 100"}},
      {"latin_key",
       "(k CHAR(10) CHARACTER SET latin1 NOT NULL, n INT NOT NULL, v INT, PRIMARY KEY (k, n))",
       {"INSERT INTO {} VALUES ('é', 1, 1), (X'80', 2, 2), (X'81', 3, 3)"},
       {"UPDATE {} SET v = v + 1", "UPDATE {} SET k = 'É' WHERE n = 1", "DELETE FROM {} WHERE n = 2"}},
      {"binary_key",
       "(k BINARY(4) NOT NULL, b VARBINARY(10) NOT NULL, v INT, PRIMARY KEY (k, b))",
       {"INSERT INTO {} VALUES (X'00000000', X'', 1), (X'61000000', X'00', 2), (X'61000000', X'0000', 3)"},
       {"UPDATE {} SET v = v + 1", "UPDATE {} SET b = X'000000' WHERE b = X'00'", "DELETE FROM {} WHERE b = X''"}},
      {"uuid_key",
       "(k UUID NOT NULL PRIMARY KEY, v INET6)",
       {"INSERT INTO {} VALUES ('123e4567-e89b-12d3-a456-426655440000', '::1'), "
        "('01890a5d-ac96-774b-bcce-b302099a8057', NULL)"},
       {"UPDATE {} SET v = '2001:db8::1'", "DELETE FROM {} WHERE k = '123e4567-e89b-12d3-a456-426655440000'"}},
      {"decimal_key",
       "(k DECIMAL(30,10) NOT NULL, e ENUM('a','b') NOT NULL, v INT, PRIMARY KEY (k, e))",
       {"INSERT INTO {} VALUES (1.5, 'a', 1), (-1.5, 'b', 2), (0, 'a', 3)"},
       {"UPDATE {} SET k = -k", "UPDATE {} SET e = 'a' WHERE k = 1.5 AND e = 'b' AND v < 0",
        "DELETE FROM {} WHERE k = 0", "UPDATE {} SET v = 100 WHERE e = 'a'"}},
      {"time_key",
       "(k DATETIME(6) NOT NULL, ts TIMESTAMP(3) NOT NULL DEFAULT '2001-01-01 00:00:00', t TIME(2) NOT NULL, "
       "v INT, PRIMARY KEY (k, ts, t))",
       {"INSERT INTO {} VALUES ('2024-01-01 00:00:00.000001', '2024-03-31 02:30:00.123', '-10:00:00.25', 1), "
        "('0000-00-00', '0000-00-00', '838:59:59', 2)"},
       {"UPDATE {} SET v = v + 1", "UPDATE {} SET t = '00:00:00.01' WHERE v = 2", "DELETE FROM {} WHERE v = 3"}},
      {"bit_key",
       "(k BIT(20) NOT NULL, y YEAR NOT NULL, v INT, PRIMARY KEY (k, y))",
       {"INSERT INTO {} VALUES (1048575, 2155, 1), (0, 0, 2), (1, 1901, 3)"},
       {"UPDATE {} SET v = v + 1", "UPDATE {} SET k = 2 WHERE k = 1", "DELETE FROM {} WHERE k = 0"}},
      {"unsigned_key",
       "(k BIGINT UNSIGNED NOT NULL PRIMARY KEY, v INT)",
       {"INSERT INTO {} VALUES (18446744073709551615, 1), (9223372036854775808, 2), (0, 3)"},
       {"UPDATE {} SET v = v + 1", "DELETE FROM {} WHERE k = 18446744073709551615",
        "INSERT INTO {} VALUES (18446744073709551614, 9)"}},
      {"float_key",
       "(k DOUBLE NOT NULL, f FLOAT NOT NULL, v INT, PRIMARY KEY (k, f))",
       {"INSERT INTO {} VALUES (0.1, 0.1, 1), (1e300, -1e-7, 2), (4.9406564584124654e-324, 16777216, 3)"},
       {"UPDATE {} SET v = v + 1", "DELETE FROM {} WHERE v = 3"}},
      {"self_named",
       "(`key` INT NOT NULL, `order` VARCHAR(10) NOT NULL, PRIMARY KEY (`order`, `key`))",
       {"INSERT INTO {} VALUES (1, 'a'), (2, 'b')"},
       {"UPDATE {} SET `key` = `key` + 1", "DELETE FROM {} WHERE `order` = 'a'"}},
  };
}

std::vector<std::string> edge_session() {
  return {"SET SESSION sql_mode = 'ALLOW_INVALID_DATES'", "SET NAMES utf8mb4"};
}

}  // namespace datasync::test
