package io.pq32.lucene;

import io.pq32.quantization.CooperativeTasks;
import io.pq32.quantization.PqLayout;
import io.pq32.quantization.ProductQuantizer;
import java.io.IOException;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.util.InfoStream;

/**
 * Which codebook do the vectors of a new segment get: one that exists, a newly trained one, or
 * none?
 */
final class CodebookPolicy {
  /** Component name in Lucene's InfoStream. */
  static final String INFO_COMPONENT = "PQ32";

  private final Pq32HnswConfig config;
  private final InfoStream infoStream;

  CodebookPolicy(Pq32HnswConfig config, InfoStream infoStream) {
    this.config = config;
    this.infoStream = infoStream;
  }

  /**
   * Chooses.
   *
   * @param known a codebook of the same field, or null; kept unless the vectors have drifted from
   *     it
   * @param maxDrift how far they may
   * @return the codebook, or null when the segment is to keep floats only: it has too few vectors
   *     to train, or they take less room than a codebook
   */
  Codebook choose(
      FieldInfo field,
      FloatVectors vectors,
      Codebook known,
      double maxDrift,
      CooperativeTasks tasks)
      throws IOException {
    PqLayout layout = new PqLayout(field.getVectorDimension(), config.bytesPerVector());
    long rawBytes = (long) vectors.size() * layout.dimension() * Float.BYTES;
    if (known != null
        && known.fits(field, layout)
        && rawBytes >= ProductQuantizer.byteSize(layout)
        && !known.driftedFrom(vectors, maxDrift)) {
      report(
          "kept codebook "
              + known.id()
              + " for "
              + vectors.size()
              + " vectors of field "
              + field.name);
      return known;
    }
    if (vectors.size() < config.minQuantizedCount()) {
      report(
          "no codebook for the "
              + vectors.size()
              + " vectors of field "
              + field.name
              + ": minQuantizedCount is "
              + config.minQuantizedCount());
      return null;
    }
    long start = System.nanoTime();
    Codebook trained = Codebook.train(field, layout, vectors, tasks);
    report(
        "trained codebook "
            + trained.id()
            + " for field "
            + field.name
            + " on "
            + vectors.size()
            + " vectors in "
            + (System.nanoTime() - start) / 1_000_000
            + " ms; it loses "
            + trained.trainedDistortion()
            + " of their spread");
    return trained;
  }

  private void report(String message) {
    if (infoStream.isEnabled(INFO_COMPONENT)) {
      infoStream.message(INFO_COMPONENT, message);
    }
  }
}
