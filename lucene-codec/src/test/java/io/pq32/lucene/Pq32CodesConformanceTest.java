package io.pq32.lucene;

import org.apache.lucene.codecs.Codec;
import org.apache.lucene.tests.index.BaseKnnVectorsFormatTestCase;
import org.apache.lucene.tests.util.TestUtil;

/** Lucene's own tests of a vectors format, with codes for every segment. */
public class Pq32CodesConformanceTest extends BaseKnnVectorsFormatTestCase {
  @Override
  protected Codec getCodec() {
    return TestUtil.alwaysKnnVectorsFormat(
        new CodesOnlyFormat(Pq32HnswConfig.DEFAULT.withMinQuantizedCount(1)));
  }

  @Override
  protected boolean supportsFloatVectorFallback() {
    return false;
  }
}
