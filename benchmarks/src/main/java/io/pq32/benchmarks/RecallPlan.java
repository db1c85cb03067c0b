package io.pq32.benchmarks;

import java.util.List;

/**
 * What a run of {@code recall} measures.
 *
 * @param contenders formats, the first being the one the others are compared with
 * @param build how the indexes are built
 * @param fanOuts candidates asked of the index, ascending; the best k of them are judged
 * @param tolerances at which pq32 is searched as well, at the smallest fan-out
 * @param k hits judged
 * @param threads searching at the same time
 * @param warmUps passes that are not counted
 * @param repeats passes that are
 * @param targets recalls at which speeds are compared
 */
record RecallPlan(
    List<Contender> contenders,
    BuildSettings build,
    List<Integer> fanOuts,
    List<Double> tolerances,
    int k,
    int threads,
    int warmUps,
    int repeats,
    List<Double> targets) {}
