"""The edits that `run.py` makes, one a line: a kind, a name, a file, its text before and after, and the tests to run.

The text before must stand in the file exactly once; `test_edits.py` holds that. A new edit is one more line. Kinds:
energy, seed, unit, polarity, evaluation, held_out, wires, noise, cost, split, honesty, sign, count.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """One edit: `old` becomes `new` in `file`; `tests` (files, or names within them) must notice."""

    kind: str
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def _edit(kind: str, name: str, file: str, old: str, new: str, *tests: str) -> Edit:
    return Edit(kind, name, file, old, new, tests)


HELD_OUT, ENERGY = "tests/characterization/test_held_out.py", "tests/array/test_energy.py"
COST, _BINARY = "tests/cost/test_cost.py", "tests/systems/test_binary_cnn.py"
EVALUATION, VALIDATION = "tests/learning/test_evaluation.py", "tests/learning/test_validation.py"
OF_TEST = f"{EVALUATION}::test_the_test_accuracy_is_that_of_the_tiles_after_training"
OF_VALIDATION = f"{EVALUATION}::test_validation_accuracy_and_loss_are_those_of_the_tiles"
OF_NOISE, OF_COST = (
    f"{EVALUATION}::test_evaluation_has_the_noise_of_the_reads",
    f"{EVALUATION}::test_an_epoch_costs_all_of_its_batches",
)
OF_SEED = f"{EVALUATION}::test_the_seed_draws_weights_writes_order_and_noise_each_by_itself"
OF_WRITES, OF_EPOCH = (
    f"{EVALUATION}::test_the_seed_draws_the_first_writes",
    f"{EVALUATION}::test_each_epoch_has_its_own_order_and_noise",
)
EXPLORATION = "tests/systems/test_exploration.py"
HONEST, RULES, RECORD = "tests/learning/test_honest_rules.py", "tests/learning/test_rules.py", "tests/test_record.py"
_MEASURED, _SHAPES = "characterization/measured", "tests/characterization/test_measured_shapes.py"
PULSE, UPDATE, TILE = "tests/array/test_pulse.py", "tests/array/test_update_chain.py", "tests/array/test_tile.py"
VERIFY, WIRES, CHAIN = "tests/array/test_write_verify.py", "tests/array/test_wires.py", "tests/array/test_read_chain.py"
RL, NETWORK, AXES = (
    "tests/learning/rl/test_rl.py",
    "tests/learning/test_network.py",
    "tests/characterization/test_axes.py",
)

_CELL, _LIMITS = "characterization/components/cell.py", "characterization/plan.py"
_CASES, _HELD = "characterization/engine/cases.py", "characterization/engine/held_out.py"
_MC, _WIRES = "characterization/engine/monte_carlo.py", "characterization/components/wires.py"
_SUPERVISED, _DATA = "rramkit/learning/supervised.py", "rramkit/learning/data/dataset.py"
_TRAIN, _TRAINER = "rramkit/learning/train.py", "rramkit/learning/trainer.py"
_READ, _PULSE = "rramkit/array/read.py", "rramkit/array/write/pulse.py"
_UPDATE, _STATE = "rramkit/array/write/update.py", "rramkit/array/write/state.py"
_LOOP, _MATRIX = "rramkit/array/write/write_verify.py", "rramkit/array/mapped_matrix.py"
_DEVICE, _MIXED = "rramkit/learning/rules/rram_device.py", "rramkit/learning/rules/mixed_precision.py"
_RULE, _OPEN = "rramkit/learning/rules/rram_rule.py", "rramkit/learning/rules/open_loop.py"
_SPARSE, _CHOICE = "rramkit/learning/rules/row_sparse.py", "rramkit/learning/rules/pulse_choice.py"
_COUNTS, _THRESHOLD = "rramkit/learning/rules/pulse_counts.py", "rramkit/learning/rules/threshold.py"
_BANKS, _SCHEDULES = "rramkit/learning/rl/banks.py", "rramkit/learning/schedules.py"
_CURRENT, _PROFILES = "rramkit/array/cell_current.py", "rramkit/array/kernels/reference.py"

# fmt: off
EDITS = (
    # held-out evidence
    _edit("held_out", "held-out points on the fit's own grid", _CASES, "    at = {axis.label: float(_value(plan, axis, rng.random(1))[0]) for axis in plan.all_axes if axis is not step}\n", "    at = {axis.label: float(rng.choice(axis.grid)) for axis in plan.all_axes if axis is not step}\n", HELD_OUT),
    _edit("held_out", "held-out steps on the fit's own grid", _CASES, "(np.unique(_value(plan, step, rng.random(steps))) if steps else step.grid)", "step.grid", HELD_OUT),
    _edit("held_out", "limit of a change ten times wider, rms", _LIMITS, "held_out_rms=limits.delta_g_rms * window", "held_out_rms=10 * limits.delta_g_rms * window", HELD_OUT),
    _edit("held_out", "limit of a change ten times wider, largest", _LIMITS, "held_out_max=limits.delta_g_max * window", "held_out_max=10 * limits.delta_g_max * window", HELD_OUT),
    _edit("held_out", "default limit of a change ten times wider", _LIMITS, "delta_g_rms: float = quantity(2e-3,", "delta_g_rms: float = quantity(2e-2,", HELD_OUT),
    _edit("held_out", "default limit of the energy ten times wider", _LIMITS, "energy_max: float = quantity(0.01,", "energy_max: float = quantity(0.1,", HELD_OUT),
    _edit("held_out", "limit of the energy that of the current", _LIMITS, "SET.energy: Limit(held_out_rms=limits.energy_rms, held_out_max=limits.energy_max)", "SET.energy: Limit(held_out_rms=0.02, held_out_max=0.1)", HELD_OUT),
    _edit("held_out", "limits not scaled by the full scale", _HELD, "limit_rms=rms * scale,", "limit_rms=rms * scale * 10,", HELD_OUT),
    _edit("held_out", "held-out arrays are those of the fit", _WIRES, "return seen, inputs_of(params, rng, random_patterns(params, rng, sizes))", "return seen, seen", HELD_OUT),
    _edit("held_out", "the fit compared with itself", _HELD, "        spice=spice,\n", "        spice=fit,\n", HELD_OUT),
    # seeds
    _edit("seed", "seed of held-out points ignored", _CASES, "rng = np.random.default_rng([seed, 1])", "rng = np.random.default_rng([1, 1])", HELD_OUT),
    _edit("seed", "Monte Carlo seed ignored, plain draws", _MC, "return np.random.default_rng([self.seed, self.number])", "return np.random.default_rng([7, self.number])", HELD_OUT),
    _edit("seed", "Monte Carlo seed ignored, matched draws", _MC, "np.random.default_rng([self.seed, self.count])", "np.random.default_rng([7, self.count])", HELD_OUT),
    _edit("seed", "every draw of a Monte Carlo the same", _MC, "return np.random.default_rng([self.seed, self.number])", "return np.random.default_rng([self.seed, 0])", HELD_OUT),
    _edit("seed", "fresh draws are those of the table", "characterization/engine/results.py", "DrawNumber(seed, k, count, matched=False)", "DrawNumber(plan.monte_carlo.seed, k, count, matched=plan.monte_carlo.matched)", HELD_OUT),
    _edit("seed", "seed of the arrays of the wire fit ignored", _WIRES, "rng, size = np.random.default_rng([seed, 4])", "rng, size = np.random.default_rng([0, 4])", HELD_OUT),
    _edit("seed", "training seed ignored by its streams", _SUPERVISED, "return np.random.default_rng((self.experiment.seed, purpose, epoch))", "return np.random.default_rng((1, purpose, epoch))", OF_SEED),
    _edit("seed", "training seed ignored by the first weights", _SUPERVISED, "rng=np.random.default_rng((experiment.seed, _WEIGHTS, 0))", "rng=np.random.default_rng((1, _WEIGHTS, 0))", OF_SEED),
    _edit("seed", "training seed ignored by the first writes", _SUPERVISED, "rng=np.random.default_rng((experiment.seed, _DEVICE, 0))", "rng=np.random.default_rng((1, _DEVICE, 0))", OF_WRITES),
    _edit("seed", "every epoch in the same order", _SUPERVISED, "self._stream(_ORDER, epoch).permutation", "self._stream(_ORDER, 1).permutation", OF_EPOCH),
    _edit("seed", "every epoch the same device noise", _SUPERVISED, "trainer.random((self.experiment.seed, _DEVICE, epoch))", "trainer.random((self.experiment.seed, _DEVICE, 1))", OF_EPOCH),
    _edit("seed", "the validation split of every seed the same", _DATA, "np.random.default_rng((seed, _VALIDATION))", "np.random.default_rng((1, _VALIDATION))", f"{VALIDATION}::test_the_seed_draws_the_split_and_zero_leaves_it_out"),
    # energies
    _edit("energy", "energy of a pulse halved in SPICE, side by side", _CELL, 'energy = np.trapezoid(np.array(power), waves["time"], axis=1)', 'energy = 0.5 * np.trapezoid(np.array(power), waves["time"], axis=1)', HELD_OUT),
    _edit("energy", "energy of a pulse halved in SPICE, staircase", _CELL, "return np.array([integral(", "return 0.5 * np.array([integral(", HELD_OUT),
    _edit("energy", "energy of a pulse without the word line", _CELL, "* waves[f\"i_{line}_{k}\"] for line in LINES)", "* waves[f\"i_{line}_{k}\"] for line in LINES[1:])", f"{HELD_OUT}::test_the_energy_of_a_pulse_is_the_integral_of_what_its_three_sources_give"),
    _edit("energy", "energy of a pulse halved in the look-up", _PULSE, "return self.energy.at(*self.coordinates(g_cell, v_pulse, lost))", "return 0.5 * self.energy.at(*self.coordinates(g_cell, v_pulse, lost))", f"{ENERGY}::test_the_energy_of_a_pulse_is_the_tables_at_the_conductance_before_it"),
    _edit("energy", "energy of a pulse halved in training", _UPDATE, "energy = write.joules(before, v_pulse, lost)", "energy = 0.5 * write.joules(before, v_pulse, lost)", f"{ENERGY}::test_the_energy_of_a_pulse_is_the_tables_at_the_conductance_before_it"),
    _edit("energy", "energy of a pulse at the conductance after it", _UPDATE, "energy = write.joules(before, v_pulse, lost)", "energy = write.joules(after, v_pulse, lost)", f"{ENERGY}::test_the_energy_of_a_pulse_is_the_tables_at_the_conductance_before_it"),
    _edit("energy", "energy of a RESET that of a SET", _UPDATE, "energy = write.joules(before, v_pulse, lost)", "energy = self.writer.set.joules(before, v_pulse, lost)", f"{ENERGY}::test_the_energy_of_a_pulse_is_the_tables_at_the_conductance_before_it"),
    _edit("energy", "tally of a pulse's energy halved", _STATE, "energy=total(energy),", "energy=0.5 * total(energy),", f"{ENERGY}::test_the_energy_of_a_pulse_is_the_tables_at_the_conductance_before_it"),
    _edit("energy", "read energy of a tile halved", _READ, "energy + sum(_powers(read, sub)) * t_read", "energy + 0.5 * sum(_powers(read, sub)) * t_read", f"{ENERGY}::test_a_read_of_linear_cells_costs_the_square_of_their_voltage"),
    _edit("energy", "conversions of a read cost nothing", _READ, " + weighed(current.conversions, periphery.e_conversion)", "", f"{ENERGY}::test_drivers_and_converters_are_paid_for_each_line_and_conversion"),
    _edit("energy", "driven lines cost half", _READ, "e_line = drive.e_line * total_of(lines) * copies", "e_line = 0.5 * drive.e_line * total_of(lines) * copies", f"{ENERGY}::test_drivers_and_converters_are_paid_for_each_line_and_conversion"),
    _edit("energy", "read energy of a product halved", _MATRIX, "self.energy + reading.energy", "self.energy + 0.5 * reading.energy", f"{ENERGY}::test_a_product_costs_what_its_reads_cost"),
    _edit("energy", "energy of the backward pass not counted", "rramkit/learning/model.py", "reads=gradients.reads + result.reads", "reads=result.reads", OF_COST),
    _edit("energy", "energy of a verify read halved", _LOOP, "energy = self.v_read**2 * self.t_read * float(g_cell.sum())", "energy = 0.5 * self.v_read**2 * self.t_read * float(g_cell.sum())", f"{VERIFY}::test_each_read_costs_its_current_and_its_sensing"),
    _edit("energy", "sense amplifiers of verify reads cost nothing", _LOOP, " + self.params.e_sense * flat.size", "", f"{VERIFY}::test_each_read_costs_its_current_and_its_sensing"),
    _edit("energy", "energy of the update of a target not booked", _BANKS, "rewrite.tally + first + second + cost)", "rewrite.tally + cost)", f"{RL}::test_freeze_goes_on_from_the_frozen_weights"),
    _edit("energy", "energy of an epoch's writes of its last batch", _SUPERVISED, "writes, reads = writes + state.rule_state.tally, reads + cost", "writes, reads = state.rule_state.tally, reads + cost", OF_COST),
    # what a run costs
    _edit("cost", "vectors of a read by matrix counted twice", "rramkit/learning/layers/read_cost.py", "self.vectors + other.vectors,", "self.vectors + 2 * other.vectors,", f"{COST}::test_counts_are_those_of_the_shapes"),
    _edit("cost", "energy of sensing not told apart", _READ, "e_sensing = e_sensing + current.energy", "e_sensing = e_sensing + 0.5 * current.energy", f"{COST}::test_repriced_at_a_corner_reads_cost_what_a_training_there_measures"),
    _edit("cost", "gradient of a batch from the batches, not the images", "rramkit/cost/digital.py", "vectors, weights = span.images * matrix.positions", "vectors, weights = span.batches * matrix.positions", f"{COST}::test_digital_work_of_a_perceptron_by_hand"),
    _edit("cost", "reads that write counted as pulses", "rramkit/cost/analogue.py", 'of_pulses = writes["energy"] - writes["energy_reads"]', 'of_pulses = writes["energy"]', f"{COST}::test_arrays_cost_what_was_measured"),
    _edit("cost", "interval of a pipeline without the backward read", "rramkit/cost/schedule.py", 'each = span.reads["seconds"].sum(axis=1)', 'each = span.reads["seconds"][:, 0]', f"{COST}::test_serial_time_is_the_sum_and_pipelined_time_that_of_the_slowest"),
    _edit("cost", "a corner leaves the readouts as they are", "rramkit/cost/analogue.py", "return _ratio(float(_read_energy(new, now.v_rest, np.array([current]), t_read)[0]), e_mean)", "return 1.0", f"{COST}::test_repriced_at_a_corner_reads_cost_what_a_training_there_measures"),
    _edit("cost", "every layer priced by the stages of the first", "rramkit/cost/analogue.py", "device = subject.devices[at[0]]", "device = subject.devices[0]", "tests/cost/test_areas_by_layer.py::test_each_layer_is_priced_by_its_own_settings"),
    _edit("cost", "sense units of the shorter side", "rramkit/cost/area.py", "max(self.rows, self.columns)", "min(self.rows, self.columns)", f"{COST}::test_area_of_a_tile_by_hand"),
    # units and time
    _edit("unit", "time of a verify read of one row for all", _LOOP, "flat.size, energy=energy, seconds=rows * self.t_read", "flat.size, energy=energy, seconds=self.t_read", f"{VERIFY}::test_each_read_costs_its_current_and_its_sensing"),
    _edit("unit", "time of a pulse without its edges", _PULSE, "return self.width(v_pulse) + 6.0 * self.t_rise", "return self.width(v_pulse)", f"{ENERGY}::test_a_pulse_keeps_its_lines_for_its_width_and_six_edges"),
    _edit("unit", "verify noise over the window, not its range", _LOOP, "self.params.sigma_read * self.chain.writer.span", "self.params.sigma_read * self.chain.writer.g_range[1]", f"{HONEST}::test_what_a_read_sees_has_the_noise_of_a_verify_read_and_its_cost"),
    # polarity and sign
    _edit("polarity", "RESET table read as SET in the writer", _PULSE, "for name in (SET.group, RESET.group)\n        )\n        return cls(upward, downward", "for name in (SET.group, SET.group)\n        )\n        return cls(upward, downward", f"{PULSE}::test_set_never_lowers_reset_never_raises_and_both_stay_in_range"),
    _edit("polarity", "gain of SET for both polarities", _UPDATE, "traits.gain_set if write.sign > 0.0 else traits.gain_reset", "traits.gain_set", f"{ENERGY}::test_each_polarity_has_a_gain_of_its_own"),
    _edit("polarity", "RESET pulses counted as SET", _STATE, "pulses_reset=0 if is_set else count,", "pulses_reset=0,", f"{ENERGY}::test_the_energy_of_a_pulse_is_the_tables_at_the_conductance_before_it"),
    _edit("polarity", "equal pulses raise both halves", _COUNTS, "rising, falling = (plus, minus) if up else (minus, plus)", "rising, falling = (plus, minus)", f"{RULES}::test_equal_pulses_are_counted_as_aihwkit_does"),
    _edit("sign", "pulses chosen away from the centre", _CHOICE, "low_pair = g_pair.mean(axis=0) < g_centre", "low_pair = g_pair.mean(axis=0) > g_centre", f"{PULSE}::test_with_a_perfect_device_the_pair_moves_towards_its_centre"),
    _edit("sign", "decay grows weights", "rramkit/learning/optimisers.py", "(direction + self.weight_decay * weight)", "(direction - self.weight_decay * weight)", f"{HONEST}::test_mixed_precision_decays_by_its_copy_which_follows_the_cells"),
    # evaluation
    _edit("evaluation", "test accuracy from the float weights", _SUPERVISED, "scores = self._scores(self.rram, self.states.rram, x, rng)\n", "scores = self._scores(self.reference, self.states.reference, x, rng)\n", OF_TEST),
    _edit("evaluation", "validation accuracy from the float weights", _SUPERVISED, "in_rram = self.loss.accuracy(self._scores(self.rram, self.states.rram, x, rng), labels)", "in_rram = self.loss.accuracy(self._scores(self.reference, self.states.reference, x, rng), labels)", OF_VALIDATION),
    _edit("evaluation", "test accuracy of the network before training", _SUPERVISED, "scores = self._scores(self.rram, self.states.rram, x, rng)\n", "scores = self._scores(self.rram, self.initial.rram, x, rng)\n", OF_TEST),
    _edit("evaluation", "test accuracy on the training inputs", _SUPERVISED, "x, labels, rng = self.data.x_test, self.data.y_test,", "x, labels, rng = self.data.x_train, self.data.y_train,", OF_TEST),
    _edit("evaluation", "validation on the test inputs", _SUPERVISED, "self._accuracies(data.x_validation, data.y_validation, rng)", "self._accuracies(data.x_test, data.y_test, rng)", f"{VALIDATION}::test_other_test_inputs_change_no_number_but_the_test_accuracy"),
    _edit("evaluation", "loss of the float network", _SUPERVISED, "scores = self._scores(self.rram, rram, data.x_train[self._sample], rng)", "scores = self._scores(self.reference, self.states.reference, data.x_train[self._sample], rng)", OF_VALIDATION),
    _edit("noise", "read noise dropped in evaluation", _SUPERVISED, "network.scores(trainer.params(state), inputs, rng=rng)", "network.scores(trainer.params(state), inputs, rng=np.random.default_rng(0))", OF_NOISE),
    _edit("noise", "read noise dropped from the currents", _READ, "    i += noise\n", "", f"{CHAIN}::test_read_noise_has_the_variance_of_its_cells"),
    _edit("noise", "noise of a verify read dropped", _LOOP, "return g_cell + self.params.sigma_read * self.chain.writer.span * rng.standard_normal(size(flat))", "return g_cell", f"{VERIFY}::test_noisy_reads_need_confirmations"),
    _edit("noise", "cycles left out of every pulse", _PULSE, "drawn = self.cycles if cycles else None", "drawn = None", f"{UPDATE}::test_cycle_to_cycle_draws_have_the_tables_distribution"),
    # split
    _edit("split", "validation inputs trained on", _DATA, "return replace(self, x_train=x[~out], y_train=y[~out], x_validation", "return replace(self, x_train=x, y_train=y, x_validation", f"{VALIDATION}::test_the_split_is_the_same_part_of_each_class_and_loses_nothing"),
    _edit("split", "standardised with the validation inputs", _DATA, "mean = train.mean(axis=axes", "mean = np.concatenate([train, validation]).mean(axis=axes", f"{VALIDATION}::test_standardised_numbers_come_from_the_training_inputs_alone"),
    _edit("split", "the plateau goes by the training accuracy", _SUPERVISED, 'return self.log.values("accuracy_validation").tolist()', 'return self.log.values("accuracy_train").tolist()', f"{VALIDATION}::test_the_plateau_lowers_the_rate_by_the_validation_accuracy"),
    _edit("split", "sweeps ranked by test accuracy", "rramkit/learning/sweep.py", "key=lambda row: -(row.accuracy_validation or 0.0)", "key=lambda row: -row.accuracy", f"{VALIDATION}::test_a_sweep_is_ranked_by_validation_not_by_test"),
    _edit("split", "the plateau without validation accepted", _SCHEDULES, 'return self.kind == "plateau" or self.stop > 0', "return self.stop > 0", f"{VALIDATION}::test_without_validation_inputs_what_needs_them_is_refused"),
    # wires
    _edit("wires", "third-order part attenuated as the first", _CURRENT, "terms[1:] * fraction**3", "terms[1:] * fraction", f"{ENERGY}::test_the_third_order_part_of_a_cell_behind_wires_falls_with_the_cube_of_its_voltage"),
    _edit("wires", "third-order part not attenuated", _CURRENT, "terms[1:] * fraction**3", "terms[1:]", f"{ENERGY}::test_nonlinear_cells_behind_wires_agree_with_the_exact_solution"),
    _edit("seed", "a tile's stream begins a step early", _PROFILES, "for _ in range(12):", "for _ in range(11):", "tests/array/test_kernels.py::test_streams_begin_and_go_on_as_the_generators_of_numpy_do"),
    _edit("wires", "sense resistance left out", _PROFILES, "_shared(g.shape[-2], ladder.r_end, ladder.r_step, g)", "_shared(g.shape[-2], 0.0, ladder.r_step, g)", f"{WIRES}::test_unequal_rows_and_columns_are_not_confused"),
    _edit("wires", "wire of a row a tenth too resistive", _PROFILES, "_shared(g.shape[-1], ladder.r_start, ladder.r_line, g)", "_shared(g.shape[-1], ladder.r_start, 1.1 * ladder.r_line, g)", f"{WIRES}::test_against_the_exact_nodal_solution"),
    # honesty of the rules
    _edit("honesty", "decay by the cells' own weights", _RULE, "weights = [rule._decaying(device, part) for (rule, device), part in zip(bounds, state.parts, strict=True)]", "weights = [matrix.weight for matrix in state.matrices]", f"{HONEST}::test_no_module_looks_at_cells_outside_the_listed_places"),
    _edit("honesty", "a rule's read shows the cell itself", _DEVICE, "seen = self.loop.seen(cells, flat, rng=rng)", "seen = cells.g_cell.ravel()[flat]", f"{HONEST}::test_what_a_read_sees_has_the_noise_of_a_verify_read_and_its_cost"),
    _edit("honesty", "unread cells shown with the read ones", _DEVICE, "seen = xp.full_like(cells.g_cell, np.nan)", "seen = cells.g_cell.copy()", f"{HONEST}::test_what_a_read_sees_has_the_noise_of_a_verify_read_and_its_cost"),
    _edit("honesty", "mixed precision clamps by the true weight", _MIXED, "weight = device.mapping.weight_at(seen, *where, state.flips)", "weight = device.mapping.weight_at(state.cells.g_cell, *where, state.flips)", f"{HONEST}::test_a_rule_does_the_same_to_other_cells_that_read_the_same"),
    _edit("silence", "a pulse that is too small is refused again", _CHOICE, "xp.where(step >= (1.0 - MISS_LIMIT) * size, size, short)", "xp.where(step >= (1.0 - MISS_LIMIT) * size, size, 0.0)", "tests/learning/test_small_pulses.py::test_a_pulse_that_brings_a_weight_nearer_is_fired_however_small_it_is"),
    _edit("silence", "the residue of a train by what was wanted, not as read", _MIXED, "state.chi[where] = target - weight", "state.chi[where] = 0.0", "tests/learning/test_small_pulses.py::test_a_train_leaves_less_than_half_the_threshold_and_knows_it"),
    _edit("silence", "an epoch without a pulse is not said", "rramkit/learning/faults.py", "series.pulses[1:].sum(axis=1) == 0]", "series.pulses[1:].sum(axis=1) < 0]", "tests/learning/test_faults.py::test_each_fault_is_found_in_its_epochs"),
    _edit("honesty", "the copy of the weights does not follow a pulse", _MIXED, "digital = _with(state.digital, where, weight + written, live)", "digital = _with(state.digital, where, weight, live)", f"{HONEST}::test_mixed_precision_decays_by_its_copy_which_follows_the_cells"),
    _edit("honesty", "row-sparse looks at the rows it does not read", _SPARSE, "weight = device.mapping.weight_at(seen, *where, state.flips)", "weight = device.mapping.weight_at(state.cells.g_cell, *where, state.flips)", f"{HONEST}::test_a_rule_does_the_same_to_other_cells_that_read_the_same"),
    _edit("honesty", "open loop corrected by the true cells", _OPEN, "estimate.ravel()[pulses.flat] += pulses.expected", "estimate.ravel()[pulses.flat] = state.cells.g_cell.ravel()[pulses.flat]", f"{HONEST}::test_a_rule_does_the_same_to_other_cells_that_read_the_same"),
    _edit("cost", "reads before a pulse not counted, mixed precision", _MIXED, "change, cost = total - weight, cost + WriteCost(clamped=clamped)", "change, cost = total - weight, WriteCost(clamped=clamped)", f"{RULES}::test_cells_whose_conductance_chooses_the_pulse_are_read_and_counted"),
    _edit("cost", "reads before a pulse not counted, row-sparse", _SPARSE, "cost = cells.tally + reads + WriteCost(clamped=clamped)", "cost = cells.tally + WriteCost(clamped=clamped)", f"{RULES}::test_row_sparse_touches_only_the_chosen_rows"),
    _edit("cost", "reads after a write not counted, threshold", _THRESHOLD, "mapping.weight_at(seen, rows, cols, state.flips), live), cost + reads", "mapping.weight_at(seen, rows, cols, state.flips), live), cost", f"{HONEST}::test_what_is_read_after_a_write_is_counted"),
    _edit("cost", "the first read of a network not counted", _RULE, "return replace(state, chi=missing.astype(weight.dtype)), cost + reads", "return replace(state, chi=missing.astype(weight.dtype)), cost", f"{HONEST}::test_mixed_precision_decays_by_its_copy_which_follows_the_cells"),
    _edit("cost", "the memory of the optimiser not stated", _RULE, "**(optimiser.memory if self.optimised else {})", "", f"{HONEST}::test_each_rule_states_its_digital_memory"),
    # after the training
    _edit("silence", "settings of a layer are passed over", "rramkit/learning/rules/rule.py", "return self.by_matrix.get(matrix, self)", "return self", "tests/learning/test_by_layer.py::test_a_setting_changes_its_layer_and_no_other"),
    _edit("silence", "a setting that changes nothing is taken", "rramkit/learning/layer_mapping.py", "same = outcome(without) == whole", "same = False", "tests/learning/test_by_layer.py::test_what_fits_nothing_or_changes_nothing_is_refused"),
    _edit("cost", "a refresh costs what its last matrix costs", "rramkit/learning/evaluate/writes.py", "cost += cells.tally", "cost = cells.tally", "tests/learning/test_evaluate.py::test_a_refresh_brings_cells_back_and_has_a_price"),
    _edit("evaluation", "the front keeps what is no more accurate", "rramkit/learning/explored.py", "or each.accuracy > found[-1].accuracy", "or each.accuracy >= found[-1].accuracy", f"{EXPLORATION}::test_the_front_is_what_nothing_beats"),
    _edit("honesty", "the best of an exploration at any energy", "rramkit/learning/explored.py", "if each.energy <= self.default.energy]", "if True]", f"{EXPLORATION}::test_the_best_takes_no_more_energy_than_the_default_and_of_equal_ones_the_least"),
    _edit("energy", "a read voltage passed over", "rramkit/learning/mapping_settings.py", "        if self.v_read:\n", "        if False:\n", f"{EXPLORATION}::test_ideal_cells_are_as_accurate_as_float_and_take_the_square_of_the_read_voltage"),
    _edit("noise", "the spread of a gap left out", _DEVICE, "        if self.sigma_log:\n", "        if False:\n", f"{EXPLORATION}::test_the_error_of_a_gap_is_one_of_the_logarithm_of_the_conductance"),
    _edit("unit", "a window of the target taken as one of the range", _LOOP, "target if self.params.window_of == \"target\" else", "target if False else", "tests/systems/test_write_verify.py::test_the_loop_is_the_published_algorithm"),
    _edit("sign", "outputs corrected without their offset", "rramkit/learning/correction.py", "return gain, mean_z - gain * mean_y", "return gain, mean_z - mean_y", "tests/learning/test_correction.py::test_gains_and_offsets_of_every_layer_are_taken_out"),
    _edit("cost", "reads of a correction counted for the last matrix only", "rramkit/learning/correction.py", "cost = sum((each.cost for each in fitted), ReadCost())", "cost = fitted[-1].cost", "tests/learning/test_correction.py::test_gains_and_offsets_of_every_layer_are_taken_out"),
    _edit("silence", "weights of a pair off the middle cut at its half", "rramkit/learning/rules/rule.py", "device.mapping.reach for device", "device.mapping.limit for device", "tests/learning/test_correction.py::test_a_pair_off_the_middle_holds_less_before_a_half_is_cut"),
    # a chip in service, and sparse layers
    _edit("noise", "the power of read noise in the error of a benchmark", "rramkit/learning/calibration.py", "squares = np.sum(apart.sum(axis=0) ** 2) - np.sum(apart**2)", "squares = np.sum(apart.sum(axis=0) ** 2)", "tests/systems/test_ice.py::test_the_noise_of_reads_is_no_part_of_the_mean_error"),
    _edit("cost", "benchmarks that take no time", "rramkit/learning/calibration.py", "len(self.times) * self.t_benchmark / self.t_calibrated", "len(self.times) / self.t_calibrated", "tests/systems/test_ice.py::test_a_chip_in_service_is_calibrated_near_the_time_at_which_its_error_passes_the_limit"),
    _edit("evaluation", "a fit that forgets the intervals before", "rramkit/learning/calibration_policy.py", "all_of = [*(self.past[-memory:] if memory else ()), self]", "all_of = [self]", "tests/systems/test_ice.py::test_intervals_that_remember_the_last_ones_take_half_the_benchmarks"),
    _edit("honesty", "cells without a connection trained", "rramkit/learning/layers/clustered.py", "Gradient(self.samples, self.errors).weight * self.connected", "Gradient(self.samples, self.errors).weight", "tests/systems/test_autoncs.py::test_a_training_leaves_cells_without_a_connection_alone_and_its_file_holds_the_clusters"),
    # a binary network
    _edit("sign", "a pair written where its sign stays", "rramkit/learning/rules/binary.py", "np.nonzero(after != signs(state.digital))", "np.nonzero(after == signs(state.digital))", f"{_BINARY}::test_a_pair_is_written_where_its_sign_changes_and_nowhere_else"),
    _edit("sign", "votes against the middle of the inputs, not of the weights", "rramkit/array/partial_sums.py", "(xp.floor(0.5 * xp.sum(signs, axis=-2)) + 0.5)", "(xp.floor(0.0 * xp.sum(signs, axis=-2)) + 0.5)", f"{_BINARY}::test_votes_are_the_signs_of_each_block"),
    _edit("sign", "thresholds of signs without the sum of the weights", "rramkit/learning/folding.py", "2 * self.threshold - self.weight.sum(axis=0, dtype=int)", "2 * self.threshold", f"{_BINARY}::test_counts_give_the_bits_of_the_network_in_whole_numbers"),
    _edit("noise", "joined lines with the noise of every array's converter", _READ, "return noise[:1] if read.joined else noise", "return noise", f"{_BINARY}::test_joined_bit_lines_have_the_noise_of_one_converter_and_a_range_of_their_own"),
    _edit("cost", "a comparator's whole energy for each half of a pair", "rramkit/array/stages/comparator.py", "return self.energy / _HALVES", "return self.energy", f"{_BINARY}::test_comparators_of_a_file_have_the_latch_and_no_converter"),
    _edit("energy", "a latch's decision at its largest energy", "rramkit/array/stages/sense_amp.py", "float(np.mean(np.asarray(table", "float(np.max(np.asarray(table", f"{_BINARY}::test_comparators_of_a_file_have_the_latch_and_no_converter"),
    _edit("cost", "a layer of a pipeline that begins with the one before", "rramkit/cost/line_buffers.py", "before.begins + layer.awaited(of_before) * pace, ", "before.begins, ", f"{_BINARY}::test_line_buffers_hold_rows_and_pixels_and_layers_overlap"),
    # measured data
    _edit("noise", "devices pooled into one curve", f"{_MEASURED}/response.py", "by_device.setdefault(ramp.device, [])", 'by_device.setdefault("", [])', f"{_SHAPES}::test_devices_differ_and_their_pulses_do_not"),
    _edit("count", "steps of a file by its rows, not its pulse numbers", f"{_MEASURED}/ramps.py", "rows = replace(rows, pulse=pulses_of(sheet, uses, use, np.isfinite(g_cell)))", "rows = replace(rows, pulse=None)", f"{_SHAPES}::test_steps_go_by_the_pulse_number_of_the_file"),
    _edit("honesty", "assumed amplitudes and widths not said", f"{_MEASURED}/ramps.py", "if role not in roles and key not in chosen.model_fields_set:", "if False:", "tests/cli/test_import.py::test_json_is_strict_and_holds_what_was_read_and_assumed"),
    _edit("sign", "negative pulses are RESET whatever they do", f"{_MEASURED}/ramps.py", 'names = {each: ("set" if change > 0 else "reset") for each, change in moved.items()}', 'names = {each: ("set" if each > 0 else "reset") for each, change in moved.items()}', f"{_SHAPES}::test_a_shape_gives_the_device_back"),
    _edit("unit", "the prefix of a unit dropped", f"{_MEASURED}/columns.py", "return replace(use, role=role, factor=unit[0], unit=unit[1], origin=origin)", "return replace(use, role=role, factor=1.0, unit=unit[1], origin=origin)", f"{_SHAPES}::test_a_shape_gives_the_device_back"),
    # systems of the source papers
    _edit("unit", "lifetime by the mean cell", "rramkit/cost/lifetime.py", "busiest = (layer.pulses_busiest or 0) / batches", "busiest = float(layer.pulses.mean()) / batches", "tests/systems/test_long_live_time.py::test_lifetime_rises_as_one_over_the_part_written_times_the_balance"),
    _edit("silence", "momentum of written rows goes on", _SPARSE, "if not self.masked:", "if True:", "tests/systems/test_long_live_time.py::test_what_is_not_written_is_kept_as_in_deep_gradient_compression"),
    _edit("cost", "pulses of a copy not counted", "rramkit/learning/rules/sign.py", "cost + replace(of_copy, seconds=0.0)", "cost", "tests/systems/test_training_itself.py::test_pulses_are_twice_as_many_and_take_no_longer"),
    _edit("honesty", "errors go back through the first array", "rramkit/learning/rules/copied.py", "return self.copy.forward(Samples(error), rng=rng)", "return self.main.backward(error, rng=rng)", "tests/systems/test_training_itself.py::test_the_arrays_drift_apart_by_their_spread_and_errors_feel_it"),
    _edit("silence", "cells known to be stuck are pulsed", _CHOICE, "if stuck is not None:", "if False:", "tests/systems/test_fault_tolerant.py::test_stuck_cells_get_no_pulse_and_their_partners_take_the_change"),
    _edit("honesty", "healthy cells taken for stuck", "rramkit/learning/rules/fault_detection.py", "< LEAST * np.abs(wanted)", "< 1.5 * np.abs(wanted)", "tests/systems/test_fault_tolerant.py::test_every_stuck_cell_is_found_and_no_other_where_pulses_do_not_scatter"),
    # prices and machines of a cost
    _edit("cost", "the scaling of energy upside down", "rramkit/cost/scaling.py", "return self._power(to, v_to) / self._power(start, v_from)", "return self._power(start, v_from) / self._power(to, v_to)", "tests/cost/test_components.py::test_energy_scales_as_published"),
    _edit("unit", "an access of memory taken for a bit", "rramkit/cost/components.py", 'return self._figure("read") / self._figure("width") * self._energy_factor(node)', 'return self._figure("read") * self._energy_factor(node)', "tests/cost/test_components.py::test_prices_at_the_files_node_and_elsewhere"),
    _edit("unit", "a multiplication with its addition taken for one operation", "rramkit/cost/machines.py", "times(OPERATIONS * macs)", "times(macs)", "tests/cost/test_machines.py::test_energy_of_a_workload"),
    _edit("honesty", "an unknown end of a ratio taken as the other", "rramkit/cost/machines.py", "return Range(_quotient(self.low, divisor.high), _quotient(self.high, divisor.low))", "return Range(_quotient(self.low, divisor.high), _quotient(self.high or self.low, divisor.low))", "tests/cost/test_machines.py::test_what_is_unknown_stays_unknown"),
    _edit("honesty", "a claim above a run said to be below it", "rramkit/cost/comparison.py", "self.claim.ratio > high", "self.claim.ratio < high", "tests/cost/test_comparison.py::test_a_claim_is_within_above_or_below_a_run"),
    _edit("held_out", "process corners of fresh points drawn one by one", "characterization/engine/cases.py", "rng.permutation(np.resize(rng.permutation(axis.grid), len(places)))", "rng.choice(axis.grid, len(places))", "tests/characterization/test_plan.py::test_a_few_fresh_places_leave_no_process_corner_out"),
    _edit("unit", "conductance of a read current without its voltage", "rramkit/cli/simulated.py", "name: abs(value) / v_read for", "name: abs(value) for", "tests/characterization/test_simulate_plots.py::test_read_currents_have_conductance_and_resistance_beside_them"),
    # encoded bits and dynamic quantisation
    _edit("cost", "a line that is not wanted sensed all the same", "rramkit/array/conversions.py", "return self.wanted & (self.bits > 0)", "return (self.wanted | True) & (self.bits > 0)", "tests/systems/test_encoding.py::test_energy_and_time_are_those_of_what_is_converted"),
    _edit("cost", "a shorter conversion at the energy of a whole one", "rramkit/array/conversions.py", "shares[np.minimum(self.bits, len(shares) - 1)]", "shares[np.minimum(99, len(shares) - 1)]", "tests/systems/test_encoding.py::test_energy_and_time_are_those_of_what_is_converted"),
    _edit("sign", "an inverted plane taken for the plane", "rramkit/array/bit_planes.py", "level = np.where(inverted[:, None], sums - level, level)", "level = np.where(inverted[:, None], level, level)", "tests/systems/test_encoding.py::test_planes_of_mostly_ones_are_sent_inverted_at_most_half_of_the_rows"),
    _edit("silence", "an early stop by half of its bound", "rramkit/array/bit_planes.py", "reach = mapping.stop * rest", "reach = 0.5 * mapping.stop * rest", "tests/systems/test_encoding.py::test_outputs_that_a_relu_makes_zero_stop_early_and_no_other_changes"),
    _edit("honesty", "a curve drawn straight between the points of a table", "rramkit/plots/curves.py", "MonotoneCubic(along[good], of[good])(fine)", "np.interp(fine, along[good], of[good])", "tests/plots/test_plots.py::test_a_curve_is_what_a_look_up_takes_in_logarithms_where_the_table_has_them"),
    _edit("honesty", "a rate of points that only came from the store", "rramkit/cli/progress.py", "run = done - free\n    if run", "run = done\n    if run", "tests/cli/test_progress.py::test_points_that_are_free_have_no_rate"),
    # by spikes
    _edit("energy", "comparators of spiking neurons cost nothing", "rramkit/cost/spiking.py", "compared = decisions * network.circuits.e_compare", "compared = 0.0 * decisions", "tests/systems/test_snn.py::test_the_power_is_that_of_its_parts"),
    _edit("seed", "the spikes of a seed are those of any other", "rramkit/learning/spiking/streams.py", "np.random.default_rng((self.seed, _FIRST, self.use, *words))", "np.random.default_rng((_FIRST, self.use, *words))", "tests/systems/test_snn.py::test_a_pixel_spikes_in_its_part_of_the_steps"),
    _edit("evaluation", "as many spikes later are as good as earlier", "rramkit/learning/spiking/evaluation.py", "np.where(highest > most,", "np.where(highest >= most,", "tests/systems/test_snn.py::test_the_class_is_that_of_most_spikes_the_first_to_have_them"),
    _edit("sign", "refractory neurons charge", "rramkit/learning/spiking/lif.py", "v = np.where(awake, v * kept + inputs[:, step], v)", "v = v * kept + inputs[:, step]", "tests/systems/test_snn.py::test_a_leaky_neuron_is_the_recurrence"),
    # inputs that select rows (SEI)
    _edit("polarity", "minus slices at the plus slices' polarity", "rramkit/array/mapping/sei.py", "return np.concatenate([v_slice, -v_slice])", "return np.concatenate([v_slice, v_slice])", "tests/systems/test_sei.py::test_ohmic_cells_give_the_product_of_the_rounded_weights"),
    _edit("energy", "ports counted from the rest alone", "rramkit/array/selection.py", "return np.where(ports < 0.0, chain.readout.v_rest - ports, 0.0)", "return np.where(ports < 0.0, chain.readout.v_rest + ports, 0.0)", "tests/systems/test_sei.py::test_energy_and_time_are_counts_times_the_tables_prices"),
    _edit("wires", "columns loaded by closed rows too", "rramkit/array/selection.py", "return (alone + part * (i - alone)) / (1.0 + self.r_column * opened)", "return (alone + part * (i - alone)) / (1.0 + self.r_column * self.linear.sum(axis=0))", "tests/systems/test_sei.py::test_wires_are_those_of_the_array_that_inputs_select"),
    _edit("sign", "a latch's offset helps its input", "rramkit/array/selected_matrix.py", "(g_line + 1.0 / gain.r_feedback) - self.latch / gain.r_feedback", "(g_line + 1.0 / gain.r_feedback) + self.latch / gain.r_feedback", "tests/systems/test_sei.py::test_offsets_and_noise_are_those_of_the_tables"),
    _edit("evaluation", "the level of a zero lost", "rramkit/learning/thresholds.py", "shift = (zero * weight[:rows]).sum(axis=0)", "shift = 0.0 * (zero * weight[:rows]).sum(axis=0)", "tests/systems/test_sei.py::test_levels_are_taken_into_the_next_layer_exactly"),
    _edit("count", "decisions of joined arrays counted for each", "rramkit/array/selected_matrix.py", "e_decisions = amp.energy * i.size if compared else 0.0", "e_decisions = amp.energy * i.size * down if compared else 0.0", "tests/systems/test_sei.py::test_energy_and_time_are_counts_times_the_tables_prices"),
)
# fmt: on
