"""The search parameters that R4 defines, for the types of which this server holds rows: a name of this list may be repeated.

Sources: https://hl7.org/fhir/R4/searchparameter-registry.html, https://hl7.org/fhir/R4/search.html#table
"""

_NAMES = """
_contained _containedType _content _count _elements _filter _format _has _id _include _lastUpdated _list _pretty
_profile _query _revinclude _score _security _since _sort _source _summary _tag _text _total _type account
achievement-status action active activity-code activity-date activity-reference actor address address-city
address-country address-postalcode address-state address-use age agent agent-name agent-role altid
amino-acid-change appointment appointment-type authenticator author authored authored-on based-on
birthOrderBoolean birthdate body-site business-status care-team category class code code-value-concept
code-value-date code-value-quantity code-value-string combo-code combo-code-value-concept
combo-code-value-quantity combo-data-absent-reason combo-value-concept combo-value-quantity communication
component-code component-code-value-concept component-code-value-quantity component-data-absent-reason
component-value-concept component-value-quantity condition consentor contenttype context context-quantity
context-type context-type-quantity context-type-value created custodian data data-absent-reason date death-date
deceased definition derived-from description device diagnosis dna-variant effective email encounter endpoint
entity entity-name entity-role entity-type episode-of-care event facility family focus format gender
gene-amino-acid-change gene-dnavariant gene-identifier general-practitioner given goal group-identifier
has-member identifier instantiates-canonical instantiates-uri intent item-subject jurisdiction language length
lifecycle-status link location location-period method modified mothersMaidenName name near occurrence
operational-status organization outcome owner part-agree part-of participant participant-type partof patient
performer performer-type period phone phonetic policy practitioner priority publisher purpose questionnaire
reason-code reason-reference related relatesto relation relationship replaces requester requisition role
schedule scope security-label service service-category service-provider service-type setting site source
source-reference special-arrangement specialty specimen start start-date status subject subject-type subtype
target-date telecom title type url value-concept value-date value-quantity value-string version
"""
R4_PARAMETERS = frozenset(_NAMES.split())
