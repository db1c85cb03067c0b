package io.pq32.benchmarks;

import io.pq32.quantization.PqKernels;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * What do vectors look like that are distributed as those of a text encoder? Unit vectors {@code
 * unit(common + topic + local + noise)}, drawn on axes of long-tailed spectrum and then rotated:
 *
 * <ul>
 *   <li><i>common</i>: one direction that all share; two random vectors have a cosine of .36 on
 *       average.
 *   <li><i>topic</i>: a Gaussian tree of two levels, the sizes of topics following Zipf's law.
 *   <li><i>local</i>: every topic has a subspace of its own, a draw of axes that favors the strong.
 *   <li><i>noise</i>: of full rank. Local and noise share a log-normal scale per topic, so that
 *       some topics are tight and others loose.
 * </ul>
 *
 * <p>The constants were fitted to vectors of bge-base, a text encoder of 768 dimensions, on English
 * questions. Among 60,000 the mean distance is 1.3 times that to the hundredth neighbor.
 *
 * <p>Vectors come in chunks that are seeded one by one, so a smaller set is the beginning of a
 * larger one. The same seed gives the same bits on the same kernels; other kernels round otherwise.
 */
final class SyntheticModel {
  /** Whether a vector is to be indexed or searched for; both are distributed alike. */
  enum Role {
    BASE,
    QUERY
  }

  /** Vectors of a chunk: few enough that one per thread is nothing. */
  static final int CHUNK_SIZE = 1_000;

  private static final int SUPER_TOPICS = 64;
  private static final int TOPICS = 8_192;
  private static final double ZIPF = 0.8;
  private static final int LOCAL_AXES = 32;

  private static final double SPECTRUM_POWER = 0.17;
  private static final double SPECTRUM_LENGTH = 300;
  private static final double LOCAL_POWER = 0.25;

  private static final float COMMON = 0.85f;
  private static final float SUPER_TOPIC = 0.55f;
  private static final float TOPIC = 0.55f;
  private static final float LOCAL = 0.52f;
  private static final float NOISE = 0.66f;
  private static final double TIGHTNESS = 0.3;

  /** Fractional part of the golden ratio in 64 bits: neighboring streams start far apart. */
  private static final long STREAM_DISTANCE = 0x9E3779B97F4A7C15L;

  private static final RandomGeneratorFactory<RandomGenerator> GENERATORS =
      RandomGeneratorFactory.of("L64X128MixRandom");

  private final int dimension;
  private final long seed;
  private final int localAxes;
  private final float[] spectrum; // [axis], standard deviations of a vector of expected length 1
  private final float[] localScale; // [local axis]
  private final double[] cumulativeSizes; // [topic]
  private final float[] centers; // [topic][axis], common direction included
  private final int[] axes; // [topic][local axis]
  private final float[] looseness; // [topic]
  private final float[] rotation; // [axis][dimension], orthonormal

  SyntheticModel(int dimension, long seed) {
    this.dimension = dimension;
    this.seed = seed;
    this.localAxes = Math.min(LOCAL_AXES, dimension);
    RandomGenerator random = stream(0);
    spectrum = new float[dimension];
    for (int axis = 0; axis < dimension; axis++) {
      spectrum[axis] =
          (float) (Math.pow(axis + 1, -SPECTRUM_POWER) * Math.exp(-(axis + 1) / SPECTRUM_LENGTH));
    }
    normalize(spectrum, 0, dimension);
    localScale = new float[localAxes];
    for (int i = 0; i < localAxes; i++) {
      localScale[i] = (float) Math.pow(i + 1, -LOCAL_POWER);
    }
    normalize(localScale, 0, localAxes);
    cumulativeSizes = new double[TOPICS];
    double sum = 0;
    for (int topic = 0; topic < TOPICS; topic++) {
      sum += Math.pow(topic + 1, -ZIPF);
      cumulativeSizes[topic] = sum;
    }
    centers = centers(random);
    axes = axes(random);
    looseness = new float[TOPICS];
    for (int topic = 0; topic < TOPICS; topic++) {
      looseness[topic] =
          (float) Math.exp(TIGHTNESS * random.nextGaussian() - TIGHTNESS * TIGHTNESS);
    }
    rotation = rotation(random, dimension);
  }

  int dimension() {
    return dimension;
  }

  private float[] centers(RandomGenerator random) {
    float[] superTopics = new float[SUPER_TOPICS * dimension];
    for (int i = 0; i < superTopics.length; i++) {
      superTopics[i] = SUPER_TOPIC * gaussian(random, i % dimension);
    }
    float[] topics = new float[TOPICS * dimension];
    for (int topic = 0; topic < TOPICS; topic++) {
      int parent = random.nextInt(SUPER_TOPICS) * dimension;
      int from = topic * dimension;
      for (int axis = 0; axis < dimension; axis++) {
        topics[from + axis] = superTopics[parent + axis] + TOPIC * gaussian(random, axis);
      }
      topics[from + dimension / 2] += COMMON;
    }
    return topics;
  }

  private float gaussian(RandomGenerator random, int axis) {
    return (float) random.nextGaussian() * spectrum[axis];
  }

  /**
   * Draws axes without replacement, each with a chance that follows its standard deviation: the
   * first of exponential clocks to ring, an axis of twice the deviation ticking twice as fast
   * (Efraimidis and Spirakis 2006).
   */
  private int[] axes(RandomGenerator random) {
    int[] drawn = new int[TOPICS * localAxes];
    long[] clocks = new long[dimension];
    for (int topic = 0; topic < TOPICS; topic++) {
      for (int axis = 0; axis < dimension; axis++) {
        // The bits of positive floats ascend as the floats do.
        float rings = (float) (random.nextExponential() / spectrum[axis]);
        clocks[axis] = (long) Float.floatToIntBits(rings) << Integer.SIZE | axis;
      }
      Arrays.sort(clocks);
      for (int i = 0; i < localAxes; i++) {
        drawn[topic * localAxes + i] = (int) clocks[i];
      }
    }
    return drawn;
  }

  /** A random orthonormal matrix: Gaussian rows, made orthogonal one after the other. */
  static float[] rotation(RandomGenerator random, int dimension) {
    PqKernels kernels = PqKernels.instance();
    float[] rows = new float[dimension * dimension];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) random.nextGaussian();
    }
    for (int row = 0; row < dimension; row++) {
      int to = row * dimension;
      for (int earlier = 0; earlier < row; earlier++) {
        int from = earlier * dimension;
        float overlap = kernels.dot(rows, to, rows, from, dimension);
        for (int i = 0; i < dimension; i++) {
          rows[to + i] -= overlap * rows[from + i];
        }
      }
      normalize(rows, to, dimension);
    }
    return rows;
  }

  /**
   * Draws a chunk.
   *
   * @param into receives {@value #CHUNK_SIZE} vectors: [vector][dimension]
   * @param scratch as large as {@code into}
   */
  void chunk(Role role, int chunk, float[] into, float[] scratch) {
    RandomGenerator random = stream(1 + 2L * chunk + role.ordinal());
    for (int i = 0; i < CHUNK_SIZE; i++) {
      draw(random, scratch, i * dimension);
    }
    Arrays.fill(into, 0, CHUNK_SIZE * dimension, 0);
    PqKernels.instance()
        .multiplyAdd(scratch, 0, CHUNK_SIZE, dimension, rotation, dimension, into, 0);
    for (int i = 0; i < CHUNK_SIZE; i++) {
      normalize(into, i * dimension, dimension);
    }
  }

  private void draw(RandomGenerator random, float[] into, int offset) {
    int topic = topic(random);
    float noise = NOISE * looseness[topic];
    for (int axis = 0; axis < dimension; axis++) {
      into[offset + axis] = centers[topic * dimension + axis] + noise * gaussian(random, axis);
    }
    float local = LOCAL * looseness[topic];
    for (int i = 0; i < localAxes; i++) {
      into[offset + axes[topic * localAxes + i]] +=
          local * (float) random.nextGaussian() * localScale[i];
    }
  }

  private int topic(RandomGenerator random) {
    double point = random.nextDouble() * cumulativeSizes[TOPICS - 1];
    int found = Arrays.binarySearch(cumulativeSizes, point);
    return found >= 0 ? found + 1 : -found - 1; // a topic ends before its cumulative size
  }

  private RandomGenerator stream(long number) {
    return GENERATORS.create(seed + number * STREAM_DISTANCE);
  }

  private static void normalize(float[] values, int offset, int length) {
    double squares = 0;
    for (int i = 0; i < length; i++) {
      squares += (double) values[offset + i] * values[offset + i];
    }
    float factor = (float) (1 / Math.sqrt(squares));
    for (int i = 0; i < length; i++) {
      values[offset + i] *= factor;
    }
  }
}
