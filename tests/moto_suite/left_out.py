"""The tests of moto's suite that do not run here, by the reason; names may have the wildcards of a shell."""

LEFT_OUT: dict[str, tuple[str, ...]] = {
    "freezes the mock's clock; a service has its own": (
        "test_describe_model_package_default",
        "test_describe_model_package_group",
        "test_list_model_package*_creation_time_after",
        "test_list_model_package*_creation_time_before",
        "test_update_model_package_should_update_last_modified_information",
    ),
    "asserts moto's own wording of the message": (
        "test_create_model_package_should_raise_error_when_model_package_group_*",
        "test_describe_unknown_training_job",
        "test_describe_unknown_transform_job",
        "test_list_training_jobs_should_validate_input",
        "test_list_transform_jobs_should_validate_input",
    ),
    "expects pages that are cut before they are filtered": (
        "test_list_training_jobs_paginated_with_*",
        "test_list_transform_jobs_paginated_with_*",
    ),
    "expects the oldest job first; ListTransformJobs begins with the newest": ("test_list_transform_jobs_paginated",),
    "expects the ARN of a job in the letters of its name; SageMaker writes them small": (
        "test_create_training_job",
        "test_create_transform_job",
    ),
    "expects the ARN of a package in small letters; here it keeps those of the name": ("test_create_model_package",),
    "tags a job under the ARN of another account": (
        "test_add_tags_to_training_job",
        "test_delete_tags_from_training_job",
    ),
    "adds more tags in one call than the API takes": (
        "test_delete_tags_model_package_group",
        "test_list_tags_model_package_group",
    ),
    "makes a package of a name that is taken": ("test_list_model_packages",),
    "certifies for the Marketplace without a validation": ("test_describe_model_package_with_create_*",),
    "sends a digest and a URI that are none": ("test_update_model_package_given_additional_*",),
    "calls moto's own functions, not the API": ("test_utils_validate_*", "test_validate_supported_*"),
    "expects the oldest group first; Search begins with the newest": ("test_search_model_package_groups",),
}
