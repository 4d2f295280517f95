select record, length(record) as length, fields['x'] as x from {{ ref('raw_texts') }}
