package io.pq32.elasticsearch;

import io.pq32.elasticsearch.FieldFormatSelector.Choice;
import java.util.function.Function;
import org.apache.lucene.codecs.Codec;
import org.apache.lucene.codecs.FilterCodec;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.perfield.PerFieldKnnVectorsFormat;
import org.elasticsearch.index.codec.CodecProvider;
import org.elasticsearch.index.mapper.MappedFieldType;

/**
 * The server's codecs, except that the vectors of selected fields are written by pq32.
 *
 * <p>The mapping is asked at every flush and merge, so a field that is mapped, or mapped anew, gets
 * the format that its next segment should have.
 */
final class Pq32CodecProvider implements CodecProvider {
  private final CodecProvider host;
  private final Function<String, MappedFieldType> mapping;
  private final FieldFormatSelector selector;

  /**
   * @param host the server's codecs
   * @param mapping from a field's name to its type; null for a name that is not mapped
   * @param selector says which fields pq32 writes
   */
  Pq32CodecProvider(
      CodecProvider host, Function<String, MappedFieldType> mapping, FieldFormatSelector selector) {
    this.host = host;
    this.mapping = mapping;
    this.selector = selector;
  }

  @Override
  public String[] availableCodecs() {
    return host.availableCodecs();
  }

  @Override
  public Codec codec(String name) {
    Codec codec = host.codec(name);
    KnnVectorsFormat perField = new PerField(codec.knnVectorsFormat());
    // The name is what a segment stores: reading goes through the server's own codec.
    return new FilterCodec(codec.getName(), codec) {
      @Override
      public KnnVectorsFormat knnVectorsFormat() {
        return perField;
      }
    };
  }

  private final class PerField extends PerFieldKnnVectorsFormat {
    private final KnnVectorsFormat stock;

    PerField(KnnVectorsFormat stock) {
      this.stock = stock;
    }

    @Override
    public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
      return switch (selector.select(mapping.apply(field))) {
        case Choice.Compressed(KnnVectorsFormat format) -> format;
        case Choice.Stock _ ->
            stock instanceof PerFieldKnnVectorsFormat stockPerField
                ? stockPerField.getKnnVectorsFormatForField(field)
                : stock;
      };
    }
  }
}
