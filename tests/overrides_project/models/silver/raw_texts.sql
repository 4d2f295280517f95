select '' as record, map('x', '') as fields
