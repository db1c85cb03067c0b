package io.pq32.lucene;

import io.pq32.quantization.CooperativeTasks;
import io.pq32.quantization.PqLayout;
import io.pq32.quantization.PqTrainer;
import io.pq32.quantization.ProductQuantizer;
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
  /** Vectors that distortion is measured on. */
  private static final int PROBE_SIZE = 2048;

  /** Same input, same bytes: nobody gains from choosing it. */
  private static final long SEED = 0x5051_3332L;

  /**
   * A merge keeps a codebook until it loses this many times the share it lost when it was trained.
   * Codebooks from 2k to 64k vectors of one distribution stay within one point of recall.
   */
  private static final double MAX_DRIFT = 1.05;

  static Codebook train(
      FieldInfo field, PqLayout layout, FloatVectors vectors, CooperativeTasks tasks)
      throws IOException {
    Similarity similarity = Similarity.of(field.getVectorSimilarityFunction());
    ProductQuantizer quantizer = PqTrainer.train(vectors, layout, similarity.metric(), SEED, tasks);
    return new Codebook(quantizer.id(), quantizer, distortion(quantizer, vectors));
  }

  /** Whether the vectors are so unlike those it was trained for that a new codebook pays. */
  boolean driftedFrom(FloatVectors vectors) throws IOException {
    return distortion(quantizer, vectors) > trainedDistortion * MAX_DRIFT;
  }

  boolean fits(FieldInfo field, PqLayout layout) {
    return quantizer.layout().equals(layout)
        && quantizer.metric() == Similarity.of(field.getVectorSimilarityFunction()).metric();
  }

  private static float distortion(ProductQuantizer quantizer, FloatVectors vectors)
      throws IOException {
    int[] probe = PqTrainer.sample(vectors.size(), PROBE_SIZE, ~SEED);
    return (float) quantizer.distortion(vectors, probe);
  }
}
