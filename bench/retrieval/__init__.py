"""How well `search_models` finds: questions whose answers were set without looking at the search.

`rules` decides from the raw catalog rows, with no code of `hub_mcp`; the other modules hold the questions,
`measure` puts them to the search. A third of each group is held out: see `questions.is_held_out`.
"""
