package io.pq32.quantization;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Mean, projection and codebooks of a quantizer as bytes: few bits per value for the two large
 * parts, which are most of what a small segment stores.
 *
 * <p>The rounded values <em>are</em> the quantizer: vectors are encoded and queries projected with
 * them, so the two agree.
 *
 * <p>Layout, little endian: mean, float32 {@code [dimension]}; projection, a float32 scale per
 * component {@code [projectedDimension]}, then {@code [dimension][projectedDimension]} integers of
 * {@value #PROJECTION_BITS} bits; codebooks, a float32 scale per row {@code
 * [subQuantizer][subDimension]}, then {@code [subQuantizer][subDimension][centroid]} integers of
 * {@value #CODEBOOK_BITS} bits. Integers are signed and follow each other without gaps, from the
 * lowest bit of a byte to the highest; the greatest stands for the scale.
 *
 * @param mean {@code [dimension]}
 * @param projection what its integers stand for
 * @param codebooks what theirs stand for
 */
record CompactForm(float[] mean, Projection projection, Codebooks codebooks) {
  /**
   * Ten bits leave components orthogonal within .004 even where they run along the axes. Eight find
   * the same neighbors, but at .01 off the right angle a decoded vector is visibly another one.
   */
  static final int PROJECTION_BITS = 10;

  /**
   * Rounding to 8 bits costs less than a thousandth of what taking the nearest of 256 centroids
   * costs.
   */
  static final int CODEBOOK_BITS = 8;

  private static final int K = PqKernels.CODEBOOK_SIZE;

  static int byteSize(PqLayout layout) {
    int projected = layout.projectedDimension();
    return Float.BYTES * (layout.dimension() + 2 * projected)
        + packedSize(layout.dimension() * projected, PROJECTION_BITS)
        + packedSize(projected * K, CODEBOOK_BITS);
  }

  /** No bit is left over: the projected dimension is a multiple of 16. */
  private static int packedSize(int values, int bits) {
    return values / Byte.SIZE * bits;
  }

  static CompactForm read(PqLayout layout, byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int projected = layout.projectedDimension();
    float[] mean = readFloats(in, layout.dimension(), "mean");
    float[] scales = readFloats(in, projected, "scale of component");
    int[] integers = unpack(in, layout.dimension() * projected, PROJECTION_BITS);
    short[] components = new short[integers.length];
    for (int i = 0; i < components.length; i++) {
      components[i] = (short) integers[i];
    }
    Projection projection = new Projection(components, scales);
    scales = readFloats(in, projected, "scale of codebook row");
    byte[] centroids = new byte[projected * K]; // CODEBOOK_BITS are those of a byte
    in.get(centroids);
    return new CompactForm(mean, projection, new Codebooks(centroids, scales));
  }

  /**
   * The bytes of trained parts.
   *
   * @param mean {@code [dimension]}
   * @param projection {@code [dimension][projectedDimension]}
   * @param codebooks {@code [subQuantizer][subDimension][centroid]}
   */
  static byte[] write(PqLayout layout, float[] mean, float[] projection, float[] codebooks) {
    ByteBuffer out = ByteBuffer.allocate(byteSize(layout)).order(ByteOrder.LITTLE_ENDIAN);
    int projected = layout.projectedDimension();
    writeFloats(out, mean);
    float[] scales = new float[projected];
    for (int i = 0; i < projection.length; i++) {
      scales[i % projected] = Math.max(scales[i % projected], Math.abs(projection[i]));
    }
    int[] integers = new int[projection.length];
    double[] squares = new double[projected];
    double[] roundedSquares = new double[projected];
    for (int i = 0; i < integers.length; i++) {
      int column = i % projected;
      double exact = exact(projection[i], scales[column], PROJECTION_BITS);
      integers[i] = (int) Math.rint(exact);
      squares[column] += exact * exact;
      roundedSquares[column] += (double) integers[i] * integers[i];
    }
    // All components keep their one length, from which distances are computed back.
    for (int column = 0; column < projected; column++) {
      if (roundedSquares[column] > 0) {
        scales[column] *= (float) Math.sqrt(squares[column] / roundedSquares[column]);
      }
    }
    writeFloats(out, scales);
    pack(integers, PROJECTION_BITS, out);
    scales = new float[projected];
    for (int i = 0; i < codebooks.length; i++) {
      scales[i / K] = Math.max(scales[i / K], Math.abs(codebooks[i]));
    }
    writeFloats(out, scales);
    integers = new int[codebooks.length];
    for (int i = 0; i < integers.length; i++) {
      integers[i] = (int) Math.rint(exact(codebooks[i], scales[i / K], CODEBOOK_BITS));
    }
    pack(integers, CODEBOOK_BITS, out);
    return out.array();
  }

  /**
   * The greatest integer of so many bits, which stands for the scale; the least is its negative.
   */
  static int greatest(int bits) {
    return (1 << bits - 1) - 1;
  }

  private static double exact(float value, float scale, int bits) {
    return scale > 0 ? (double) value / scale * greatest(bits) : 0;
  }

  private static void pack(int[] integers, int bits, ByteBuffer out) {
    long pending = 0;
    int count = 0;
    for (int integer : integers) {
      pending |= (integer & (1L << bits) - 1) << count;
      for (count += bits; count >= Byte.SIZE; count -= Byte.SIZE) {
        out.put((byte) pending);
        pending >>>= Byte.SIZE;
      }
    }
  }

  private static int[] unpack(ByteBuffer in, int length, int bits) {
    int[] integers = new int[length];
    long pending = 0;
    int count = 0;
    for (int i = 0; i < length; i++) {
      for (; count < bits; count += Byte.SIZE) {
        pending |= (in.get() & 0xFFL) << count;
      }
      integers[i] = (int) (pending << Long.SIZE - bits >> Long.SIZE - bits);
      pending >>>= bits;
      count -= bits;
    }
    return integers;
  }

  private static void writeFloats(ByteBuffer out, float[] values) {
    for (float value : values) {
      out.putFloat(value);
    }
  }

  private static float[] readFloats(ByteBuffer in, int count, String what) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = in.getFloat();
      if (!Float.isFinite(values[i])) {
        throw new IllegalArgumentException(what + " " + i + " is " + values[i]);
      }
    }
    return values;
  }
}
