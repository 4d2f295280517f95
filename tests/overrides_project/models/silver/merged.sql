select id, version from values (1, 1), (cast(null as int), 1) as rows(id, version)
