"""What the pages say and how they are laid out, beside their charts; the notebooks only put it in order.

``words``, ``count`` and one module for each other page hold sentences and tables as plain data, ``html_rows`` and
``ballot_tree`` write HTML, ``layout`` is what all notebooks share; it alone needs marimo.
"""
