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
   * What to take of the files.
   *
   * @param limitBase vectors to index; a random sample if there are more
   * @param limitQueries queries to run; a random sample if there are more
   * @param seed of both samples
   * @param k neighbors that will be asked for
   */
  record Selection(int limitBase, int limitQueries, long seed, int k) {}

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
    VectorSet base = allBase.sample(selection.limitBase, selection.seed);
    VectorSet queries = allQueries.sample(selection.limitQueries, selection.seed);
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
    int depth = Math.min(base.size(), Math.max(TRUTH_DEPTH, selection.k));
    Path cached = cache.resolve("truth-" + key(files, selection, depth) + ".ivecs");
    if (!Files.exists(cached)) {
      try (Progress task = progress.start("exact neighbors", queries.size())) {
        GroundTruth truth = BruteForce.compute(base, queries, files.similarity(), depth, task);
        Files.createDirectories(cache);
        truth.write(cached);
      }
    }
    GroundTruth truth = GroundTruth.read(cached);
    check(cached, truth, base.size(), queries.size());
    return new Dataset(files.name(), base, queries, files.similarity(), truth);
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
    for (int q = 0; q < queryCount; q++) {
      for (int id : truth.neighbors()[q]) {
        if (id < 0 || id >= baseSize) {
          throw new BadInputException(
              "%s: row %d names vector %d; ids go from 0 to %d"
                  .formatted(file, q, id, baseSize - 1));
        }
      }
    }
  }

  /** Names everything the truth depends on; a file counts by path, size and time of change. */
  private static String key(DatasetFiles files, Selection selection, int depth) throws IOException {
    StringBuilder text = new StringBuilder();
    for (Path file : new Path[] {files.base(), files.queries()}) {
      text.append(file.toRealPath())
          .append('|')
          .append(Files.size(file))
          .append('|')
          .append(Files.getLastModifiedTime(file).toMillis())
          .append('|');
    }
    text.append(selection).append('|').append(files.similarity()).append('|').append(depth);
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(text.toString().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
