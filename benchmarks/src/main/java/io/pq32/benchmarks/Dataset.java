package io.pq32.benchmarks;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Vectors, queries and their exact neighbors, checked against one another.
 *
 * @param name shown in reports
 * @param base vectors to index; the place in it is a vector's id
 * @param queries vectors to search for
 * @param similarity what nearness means
 * @param truth exact neighbors of every query
 */
record Dataset(
    String name, VectorSet base, VectorSet queries, Similarity similarity, GroundTruth truth) {

  /** Neighbors computed per query when a data set has no truth file: those of the public sets. */
  private static final int TRUTH_DEPTH = 100;

  /**
   * How far from 1 the squared length of a unit vector may be, for float32 and 10-bit mantissas.
   */
  private static final double UNIT_TOLERANCE = 1e-2;

  /**
   * What to take of a data set.
   *
   * @param limitBase vectors to index; a random sample if there are more
   * @param limitQueries queries to run; a random sample if there are more
   * @param seed of both samples, and of what is generated
   * @param k neighbors that will be asked for
   */
  record Selection(int limitBase, int limitQueries, long seed, int k) {
    private VectorSet base(VectorSet all) {
      return all.sample(limitBase, seed);
    }

    private VectorSet queries(VectorSet all) {
      return all.sample(limitQueries, seed);
    }
  }

  /** How many vectors to generate, of what dimension. */
  record Synthetic(int vectors, int queries, int dimension) {
    private String name() {
      return "synthetic-" + dimension;
    }
  }

  /** Reads the files; computes the truth, or takes it from the cache, where no file fits. */
  static Dataset load(
      DatasetFiles files,
      Selection selection,
      Path scratch,
      Path cache,
      Arena arena,
      Progress.Factory progress)
      throws IOException, InterruptedException {
    VectorSet allBase = VectorSet.read(files.base(), scratch.resolve("base"), arena, progress);
    VectorSet allQueries =
        VectorSet.read(files.queries(), scratch.resolve("queries"), arena, progress);
    if (allBase.dimension() != allQueries.dimension()) {
      throw new BadInputException(
          "%s has dimension %d, %s has %d"
              .formatted(
                  files.base(), allBase.dimension(), files.queries(), allQueries.dimension()));
    }
    VectorSet base = selection.base(allBase);
    VectorSet queries = selection.queries(allQueries);
    checkLengths(files.base(), base, files.similarity());
    checkLengths(files.queries(), queries, files.similarity());

    int needed = Math.min(selection.k, base.size());
    if (files.truth().isPresent() && base.size() == allBase.size()) {
      GroundTruth truth = GroundTruth.read(files.truth().get());
      check(files.truth().get(), truth, allBase.size(), allQueries.size());
      if (truth.depth() >= needed) {
        return new Dataset(
            files.name(), base, queries, files.similarity(), truth.forQueries(queries));
      }
    }
    GroundTruth truth =
        computed(identity(files), base, queries, files.similarity(), selection, cache, progress);
    return new Dataset(files.name(), base, queries, files.similarity(), truth);
  }

  /** Generates vectors and queries; computes the truth, or takes it from the cache. */
  static Dataset generate(
      Synthetic synthetic,
      Selection selection,
      Path scratch,
      Path cache,
      Arena arena,
      Progress.Factory progress)
      throws IOException, InterruptedException {
    SyntheticModel model = new SyntheticModel(synthetic.dimension, selection.seed);
    VectorSet base;
    try (Progress task = progress.start("generate vectors", synthetic.vectors)) {
      Path file = scratch.resolve("base");
      base =
          SyntheticFile.write(
              model, SyntheticModel.Role.BASE, synthetic.vectors, file, arena, task);
    }
    VectorSet queries;
    try (Progress task = progress.start("generate queries", synthetic.queries)) {
      Path file = scratch.resolve("queries");
      queries =
          SyntheticFile.write(
              model, SyntheticModel.Role.QUERY, synthetic.queries, file, arena, task);
    }
    base = selection.base(base);
    queries = selection.queries(queries);
    GroundTruth truth =
        computed(synthetic.toString(), base, queries, Similarity.DOT, selection, cache, progress);
    return new Dataset(synthetic.name(), base, queries, Similarity.DOT, truth);
  }

  /**
   * @param identity tells this data set from every other
   */
  private static GroundTruth computed(
      String identity,
      VectorSet base,
      VectorSet queries,
      Similarity similarity,
      Selection selection,
      Path cache,
      Progress.Factory progress)
      throws IOException, InterruptedException {
    int depth = Math.min(base.size(), Math.max(TRUTH_DEPTH, selection.k));
    String key = hash(identity + '|' + selection + '|' + similarity + '|' + depth);
    Path cached = cache.resolve("truth-" + key + ".ivecs");
    if (!Files.exists(cached)) {
      long comparisons = (long) base.size() * queries.size();
      try (Progress task = progress.start("exact neighbors", comparisons)) {
        GroundTruth truth = BruteForce.compute(base, queries, similarity, depth, task);
        Files.createDirectories(cache);
        truth.write(cached);
      }
    }
    GroundTruth truth = GroundTruth.read(cached);
    check(cached, truth, base.size(), queries.size());
    return truth;
  }

  private static void checkLengths(Path file, VectorSet vectors, Similarity similarity) {
    if (similarity == Similarity.L2 || similarity == Similarity.MIP) {
      return;
    }
    float[] vector = new float[vectors.dimension()];
    for (int i = 0; i < vectors.size(); i++) {
      vectors.copy(i, vector);
      double squares = Similarity.dot(vector, vector);
      if (similarity == Similarity.DOT && Math.abs(squares - 1) > UNIT_TOLERANCE) {
        throw new BadInputException(
            "%s: row %d has length %.4f; metric dot needs unit vectors, use mip or cosine"
                .formatted(file, vectors.row(i), Math.sqrt(squares)));
      }
      if (similarity == Similarity.COSINE && squares == 0) {
        throw new BadInputException(
            "%s: row %d is all zeros; metric cosine needs a direction"
                .formatted(file, vectors.row(i)));
      }
    }
  }

  private static void check(Path file, GroundTruth truth, int baseSize, int queryCount) {
    if (truth.neighbors().length != queryCount) {
      throw new BadInputException(
          "%s: has %d rows for %d queries".formatted(file, truth.neighbors().length, queryCount));
    }
    checkIds(file, truth, baseSize);
  }

  static void checkIds(Path file, GroundTruth truth, int baseSize) {
    for (int q = 0; q < truth.neighbors().length; q++) {
      for (int id : truth.neighbors()[q]) {
        if (id < 0 || id >= baseSize) {
          throw new BadInputException(
              "%s: row %d names vector %d; ids go from 0 to %d"
                  .formatted(file, q, id, baseSize - 1));
        }
      }
    }
  }

  /** Tells files from all others; a file counts by path, size and time of change. */
  private static String identity(DatasetFiles files) throws IOException {
    StringBuilder text = new StringBuilder();
    for (Path file : new Path[] {files.base(), files.queries()}) {
      text.append(file.toRealPath())
          .append('|')
          .append(Files.size(file))
          .append('|')
          .append(Files.getLastModifiedTime(file).toMillis())
          .append('|');
    }
    return text.toString();
  }

  private static String hash(String text) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
