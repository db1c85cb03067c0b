package io.pq32.elasticsearch;

import io.pq32.elasticsearch.FieldFormatSelector.Choice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.ProjectMetadata;
import org.elasticsearch.common.UUIDs;
import org.elasticsearch.common.compress.CompressedXContent;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.core.CheckedFunction;
import org.elasticsearch.index.IndexMode;
import org.elasticsearch.index.IndexSettingProvider;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.index.mapper.DocumentMapper;
import org.elasticsearch.index.mapper.MappedFieldType;
import org.elasticsearch.index.mapper.MapperService;
import org.elasticsearch.index.mapper.MappingLookup;

/**
 * Refuses a mapping in which a field listed in {@code index.pq32.fields} is one that pq32 does not
 * compress: the owner asked for it by name and would not get it.
 *
 * <p>A name that is not mapped yet is no error. It provides no settings: being asked for them is
 * the point at which the server shows new mappings to a plugin.
 */
final class ListedFieldsCheck implements IndexSettingProvider {
  private final CheckedFunction<IndexMetadata, MapperService, IOException> mapperServices;

  /**
   * @param mapperServices parses the mapping of an index that does not exist yet
   */
  ListedFieldsCheck(CheckedFunction<IndexMetadata, MapperService, IOException> mapperServices) {
    this.mapperServices = mapperServices;
  }

  @Override
  public void provideAdditionalSettings(
      String index,
      String dataStream,
      IndexMode templateMode,
      ProjectMetadata project,
      Instant resolvedAt,
      Settings settings,
      List<CompressedXContent> mappings,
      IndexVersion version,
      Settings.Builder additionalSettings) {
    // An index of another mode needs settings from providers that may come after us; its fields
    // are checked when its mapping changes.
    if (!listsFields(settings)
        || mappings == null
        || mappings.isEmpty()
        || IndexSettings.MODE.exists(settings)) {
      return;
    }
    IndexMetadata metadata =
        IndexMetadata.builder(index)
            .settings(
                Settings.builder()
                    .put(settings)
                    .put(IndexMetadata.SETTING_VERSION_CREATED, version)
                    .put(IndexMetadata.SETTING_INDEX_UUID, UUIDs.randomBase64UUID())
                    .put(IndexMetadata.SETTING_NUMBER_OF_SHARDS, 1)
                    .put(IndexMetadata.SETTING_NUMBER_OF_REPLICAS, 0))
            .build();
    try (MapperService mapper = mapperServices.apply(metadata)) {
      mapper.merge(
          MapperService.SINGLE_MAPPING_NAME, mappings, MapperService.MergeReason.INDEX_TEMPLATE);
      check(settings, mapper.mappingLookup());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void onUpdateMappings(
      IndexMetadata index, DocumentMapper mapper, Settings.Builder additionalSettings) {
    if (mapper != null && listsFields(index.getSettings())) {
      check(index.getSettings(), mapper.mappers());
    }
  }

  private static boolean listsFields(Settings settings) {
    return Pq32Settings.ENABLED.get(settings) && Pq32Settings.FIELDS.exists(settings);
  }

  /** Throws when a listed field is mapped to something that stays stock. */
  static void check(Settings settings, MappingLookup mapping) {
    FieldFormatSelector selector = new FieldFormatSelector(Pq32Settings.of(settings));
    for (String field : Pq32Settings.FIELDS.get(settings)) {
      MappedFieldType type = mapping.getFieldType(field);
      if (mapping.objectMappers().containsKey(field)) {
        throw refusal(field, "is an object");
      } else if (type != null && !type.name().equals(field)) {
        throw refusal(field, "is an alias of [" + type.name() + "]");
      } else if (type != null && selector.select(type) instanceof Choice.Stock(String reason)) {
        throw refusal(field, reason);
      }
    }
  }

  private static IllegalArgumentException refusal(String field, String reason) {
    return new IllegalArgumentException(
        "field ["
            + field
            + "], listed in ["
            + Pq32Settings.FIELDS.getKey()
            + "], cannot be compressed: it "
            + reason);
  }
}
