package io.pq32.lucene;

import io.pq32.quantization.CooperativeTasks;
import io.pq32.quantization.PqLayout;
import io.pq32.quantization.PqTrainer;
import io.pq32.quantization.ProductQuantizer;
import io.pq32.quantization.VectorSource;
import java.io.IOException;
import org.apache.lucene.index.FieldInfo;

/**
 * A quantizer with what its reuse is judged by.
 *
 * @param id {@link ProductQuantizer#id()}
 * @param trainedDistortion share of the spread it lost on a sample of the vectors it was trained
 *     for
 */
record Codebook(String id, ProductQuantizer quantizer, float trainedDistortion) {
  /** Vectors that distortion is measured on, at most. */
  private static final int PROBE_SIZE = 2048;

  /** One vector in so many is held out from training, to measure distortion on. */
  private static final int HELD_OUT = 8;

  /** Same input, same bytes: nobody gains from choosing it. */
  private static final long SEED = 0x5051_3332L;

  /**
   * A codebook is kept until it loses this many times the share it lost when it was trained.
   * Codebooks from 2k to 64k vectors of one distribution stay within one point of recall.
   */
  static final double MAX_DRIFT = 1.05;

  /**
   * The same for a flush. Small segments of one index differ by what happens to be in them, and the
   * merge that takes them up judges again: text-768 in ten flushes would train ten codebooks, for
   * which indexing takes twice as long, and each of them needs tables of its own for every query.
   * (At 1.3 there are three: searches of the ten segments take 12 % longer and find the same.)
   */
  static final double MAX_FLUSH_DRIFT = 1.6;

  /**
   * What a measurement on few vectors may be off, times the square root of their count: the losses
   * of single vectors scatter by some 40 % of their mean, and five times the standard error is
   * never chance.
   */
  private static final double NOISE = 2;

  static Codebook train(
      FieldInfo field, PqLayout layout, FloatVectors vectors, CooperativeTasks tasks)
      throws IOException {
    Similarity similarity = Similarity.of(field.getVectorSimilarityFunction());
    int[] probe =
        PqTrainer.sample(vectors.size(), Math.min(PROBE_SIZE, vectors.size() / HELD_OUT), ~SEED);
    ProductQuantizer quantizer =
        PqTrainer.train(new Without(vectors, probe), layout, similarity.metric(), SEED, tasks);
    return new Codebook(quantizer.id(), quantizer, (float) quantizer.distortion(vectors, probe));
  }

  /**
   * Whether the vectors are so unlike those it was trained for that a new codebook pays.
   *
   * @param maxDrift {@link #MAX_DRIFT} or {@link #MAX_FLUSH_DRIFT}
   */
  boolean driftedFrom(FloatVectors vectors, double maxDrift) throws IOException {
    int[] probe = PqTrainer.sample(vectors.size(), PROBE_SIZE, ~SEED);
    double bound = maxDrift + NOISE / Math.sqrt(probe.length);
    return quantizer.distortion(vectors, probe) > trainedDistortion * bound;
  }

  boolean fits(FieldInfo field, PqLayout layout) {
    return quantizer.layout().equals(layout)
        && quantizer.metric() == Similarity.of(field.getVectorSimilarityFunction()).metric();
  }

  /**
   * All vectors but some.
   *
   * @param heldOut ordinals left out, ascending
   */
  private record Without(FloatVectors vectors, int[] heldOut) implements VectorSource {
    @Override
    public int size() {
      return vectors.size() - heldOut.length;
    }

    @Override
    public void copy(int ord, float[] target, int offset) throws IOException {
      // The held-out ordinal at position p comes after heldOut[p] - p others.
      int low = 0;
      int high = heldOut.length;
      while (low < high) {
        int middle = low + high >>> 1;
        if (heldOut[middle] - middle <= ord) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      vectors.copy(ord + low, target, offset);
    }
  }
}
