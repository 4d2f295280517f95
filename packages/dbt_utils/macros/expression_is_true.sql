{% test expression_is_true(model, expression, column_name=none) %}
    {#- An expression that is NULL is no failure; write coalesce(..., false) where it should be one. -#}
    select *
    from {{ model }}
    where not ({{ column_name ~ ' ' if column_name is not none }}{{ expression }})
{% endtest %}
