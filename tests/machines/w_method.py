#!/usr/bin/env python3
"""Faulty machines, tried with a suite of ours and with the W-method of AALpy.

    kills.py FAULTS SEED

Standard input is a machine as JSON: how many `outputs` it has, its `states` (for each symbol the output and the next state),
and the `sequences` of our suite. FAULTS single output and transfer faults of it are drawn; each is killed by a suite if a
sequence of it is answered otherwise than by the machine. Prints as JSON how many each kills, and which only one of them does; a
fault that neither kills is proved equivalent by walking through the product of both machines, or listed.
"""
import json
import random
import sys

from aalpy.automata import MealyMachine, MealyState
from aalpy.oracles import WMethodEqOracle
from aalpy.SULs import AutomatonSUL


def automaton(table):
    """A machine of AALpy; `table[state][symbol]` is the output and the next state."""
    states = [MealyState(f"s{number}") for number in range(len(table))]
    for state, row in zip(states, table):
        for symbol, (output, following) in enumerate(row):
            state.output_fun[symbol] = output
            state.transitions[symbol] = states[following]
    return MealyMachine(states[0], states)


def answers(table, word):
    state, said = 0, []
    for symbol in word:
        output, state = table[state][symbol]
        said.append(output)
    return said


def is_equivalent(one, other):
    """Whether two machines answer every word alike."""
    seen, open_pairs = {(0, 0)}, [(0, 0)]
    while open_pairs:
        left, right = open_pairs.pop()
        for (output, following), (other_output, other_following) in zip(one[left], other[right]):
            if output != other_output:
                return False
            pair = (following, other_following)
            if pair not in seen:
                seen.add(pair)
                open_pairs.append(pair)
    return True


def fault(table, outputs, draw):
    """A copy with one output or one target of a transition changed."""
    faulty = [[tuple(cell) for cell in row] for row in table]
    state, symbol = draw.randrange(len(table)), draw.randrange(len(table[0]))
    output, following = faulty[state][symbol]
    if draw.random() < 0.5:
        output = draw.choice([other for other in range(outputs) if other != output])
    else:
        following = draw.choice([other for other in range(len(table)) if other != following])
    faulty[state][symbol] = (output, following)
    return faulty, [state, symbol, output, following]


def main(faults, seed):
    machine = json.load(sys.stdin)
    table = machine["states"]
    answered = [(word, answers(table, word)) for word in machine["sequences"]]
    symbols = list(range(len(table[0])))
    reference = automaton(table)
    reference.compute_prefixes()
    reference.characterization_set = reference.compute_characterization_set()
    draw = random.Random(seed)
    told = {"states": len(table), "ours": 0, "theirs": 0, "only_ours": [], "only_theirs": [], "equivalent": 0, "survived": []}
    for _ in range(faults):
        faulty, where = fault(table, machine["outputs"], draw)
        by_ours = any(answers(faulty, word) != answer for word, answer in answered)
        oracle = WMethodEqOracle(symbols, AutomatonSUL(automaton(faulty)), len(table))
        by_theirs = oracle.find_cex(reference) is not None
        told["ours"] += by_ours
        told["theirs"] += by_theirs
        if by_ours and not by_theirs:
            told["only_ours"].append(where)
        elif by_theirs and not by_ours:
            told["only_theirs"].append(where)
        elif not by_ours and not by_theirs:
            if is_equivalent(table, faulty):
                told["equivalent"] += 1
            else:
                told["survived"].append(where)
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
