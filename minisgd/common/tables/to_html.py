"""A table in HTML: what a cell holds is text, never markup, and its value is there to sort by."""

from __future__ import annotations

from jinja2 import Environment
from markupsafe import Markup

from minisgd.common.plain import LAYOUT, printable
from minisgd.common.tables.description import Table

SHORT = 30
"""Letters of a cell that is not broken into lines."""

TEMPLATE = """\
<table{{ ' class="sortable"' | safe if table.headed }}>
{% if table.headed %}
<thead><tr>
{%- for column in table.columns -%}
<th scope="col" class="{{ column.align }}"{% if column.help %} title="{{ column.help }}"{% endif %}>
{%- if column.heading %}<button type="button">{{ column.heading | plain }}</button>
{%- else %}<span class="hidden">note</span>{% endif %}</th>
{%- endfor %}</tr></thead>
{% endif %}
<tbody>
{% for row in table.rows %}
<tr>
{%- for cell in row -%}
{% set tag = "th" if loop.first else "td" %}
<{{ tag }}{{ ' scope="row"' | safe if loop.first }} class="{{ table.columns[loop.index0].align }}
{{- ' short' if cell.text | length < short }}{{ ' ' ~ cell.style if cell.style }}"
{%- if cell.value is number %} data-value="{{ cell.value }}"{% endif %}>
{%- if cell.link %}<a href="{{ cell.link }}">{{ cell.text | plain }}</a>{% else %}{{ cell.text | plain }}{% endif %}</{{ tag }}>
{%- endfor %}</tr>
{% endfor %}
</tbody>
</table>"""

ENVIRONMENT = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
ENVIRONMENT.filters["plain"] = lambda text: printable(text, keep=LAYOUT).strip()
COMPILED = ENVIRONMENT.from_string(TEMPLATE)


def to_html(table: Table) -> Markup:
    """The element ``table``; its title is left to the page around it."""
    return Markup(COMPILED.render(table=table, short=SHORT))
